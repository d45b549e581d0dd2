{#- A company name for comparison: lower case, without accents and punctuation. "ACME, Inc." and
    "Acmé Inc" are equal; "Acme Ltd" is another company. Null when nothing remains, and when a person
    was erased from the name: otherwise all such names would be equal. -#}
{% macro normalised_name(name) -%}
    {{ return(adapter.dispatch('normalised_name')(name)) }}
{%- endmacro %}

{% macro duckdb__normalised_name(name) -%}
    case
        when {{ name }} not like '%[erased]%'
            then nullif(
                trim(regexp_replace(lower(strip_accents({{ name }})), '[^\p{L}\p{N}]+', ' ', 'g')),
                ''
            )
    end
{%- endmacro %}

{#- Spark cannot decompose characters, so the letters of the Latin, Greek and Cyrillic alphabets with accents are
    listed by the letter without. Accents that are characters of their own are marks. -#}
{% macro spark__normalised_name(name) -%}
    {%- set accented = {
        'I': 'İ', 'a': 'àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ', 'b': 'ḃḅḇ', 'c': 'çćĉċčḉ',
        'd': 'ďḋḍḏḑḓ', 'e': 'èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ', 'f': 'ḟ', 'g': 'ĝğġģǧǵḡ',
        'h': 'ĥȟḣḥḧḩḫẖ', 'i': 'ìíîïĩīĭįǐȉȋḭḯỉị', 'j': 'ĵǰ', 'k': 'ķǩḱḳḵ', 'l': 'ĺļľḷḹḻḽ',
        'm': 'ḿṁṃ', 'n': 'ñńņňǹṅṇṉṋ', 'o': 'òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ', 'p': 'ṕṗ',
        'r': 'ŕŗřȑȓṙṛṝṟ', 's': 'śŝşšșṡṣṥṧṩ', 't': 'ţťțṫṭṯṱẗ',
        'u': 'ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự', 'v': 'ṽṿ', 'w': 'ŵẁẃẅẇẉẘ', 'x': 'ẋẍ',
        'y': 'ýÿŷȳẏẙỳỵỷỹ', 'z': 'źżžẑẓẕ', 'æ': 'ǣǽ', 'ø': 'ǿ', 'ſ': 'ẛ', 'ʒ': 'ǯ', 'ʹ': 'ʹ',
        'α': 'άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ', 'ε': 'έἐἑἒἓἔἕὲέ', 'η': 'ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ',
        'ι': 'ΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ', 'ο': 'όὀὁὂὃὄὅὸό', 'ρ': 'ῤῥ', 'υ': 'ΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ',
        'ω': 'ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ', 'ϒ': 'ϓϔ', 'а': 'ӑӓ', 'г': 'ѓ', 'е': 'ѐёӗ', 'ж': 'ӂӝ',
        'з': 'ӟ', 'и': 'йѝӣӥ', 'к': 'ќ', 'о': 'ӧ', 'у': 'ўӯӱӳ', 'ч': 'ӵ', 'ы': 'ӹ', 'э': 'ӭ',
        'і': 'ї', 'ѵ': 'ѷ', 'ә': 'ӛ', 'ө': 'ӫ',
    } -%}
    {%- set plain = [] -%}
    {%- for letter, variants in accented.items() -%}
        {%- do plain.append(letter * variants | length) -%}
    {%- endfor -%}
    case
        when {{ name }} not like '%[erased]%'
            then nullif(
                trim(regexp_replace(
                    translate(
                        regexp_replace(lower({{ name }}), r'\p{M}+', ''),
                        '{{ accented.values() | join }}', '{{ plain | join }}'
                    ),
                    r'[^\p{L}\p{N}]+', ' '
                )),
                ''
            )
    end
{%- endmacro %}
