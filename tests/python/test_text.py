"""Text from extracts steers no terminal and is no markup."""

import html
import io
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from ingest.cli import main
from ingest.docs.report_page import Report, Section, Table, markdown
from ingest.text import Printable, markdown_text, one_line, printable

_HOSTILE = (
    "![x](http://evil.example/r.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "**b** `c` | x | ~~y~~ _z_ __w__",
    "<http://evil.example> http://evil.example WWW.evil.example ann@evil.example",
    "@someone #1 &copy; a\\|b \\",
    "--- \n# heading\n\nnew",
    "\x1b[31mRED\x1b]0;TITLE\x07",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mRED\x1b]0;PWNED\x07", r"\x1b[31mRED\x1b]0;PWNED\x07"),
        ("a\x00b\x7f\x9b2J\rover", r"a\x00b\x7f\x9b2J\x0dover"),
        ("\u202egpj.exe\u2028next", r"\u202egpj.exe\u2028next"),
        (b"caf\xe9.csv".decode("utf-8", "surrogateescape"), r"caf\xe9.csv"),
        ("café 文 \U0001f600 क्‍ष\tx\ny", "café 文 \U0001f600 क्‍ष\tx\ny"),
    ],
)
def test_control_characters_become_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown
    stream = io.StringIO()
    print(text, "", sep="", end="", file=Printable(stream))
    assert stream.getvalue() == shown


def test_a_name_cannot_look_like_a_further_line() -> None:
    assert one_line("a\nnothing to load\t") == r"a\nnothing to load\t"


@pytest.mark.parametrize("text", _HOSTILE)
def test_a_value_is_text_in_markdown(text: str) -> None:
    report = Report("never", "ok", (Section("S", "ok", "", Table(("x", text), ((text, "1"),), 1)),))
    page = MarkdownIt("commonmark").enable("table").render(markdown(report))
    assert re.findall(r"<(?:img|a|em|strong|code|s)\b.*?>", page) == ['<a href="#s">']
    cells = re.findall(r"<t[hd].*?>(.*?)</t[hd]>", page)
    said = " ".join(printable(text).split())
    assert [html.unescape(cell).replace("\u200b", "") for cell in cells] == ["x", said, said, "1"]


def test_an_address_of_the_web_and_a_mention_are_broken_up() -> None:
    shown = html.unescape(markdown_text("http://a.example www.a.example @ann #1 a_b"))
    assert shown == "http:\u200b//a.example www\u200b.a.example @\u200bann #\u200b1 a_b"


def test_no_command_prints_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "exports" / "2026-05-31 \x1b[31mRED\x1b]0;PWNED\x07\n2026-06-30  pending"
    (folder / "salesforce").mkdir(parents=True)
    (folder / "salesforce/Account.csv").write_text('"Id","\x1b[2J","\x1b[2J"\n"1","2","3"\n')
    where = ("--extracts", str(tmp_path / "exports"), "--warehouse", str(tmp_path / "w.duckdb"))
    main(["status", *where])
    main(["load", *where])
    main(["load", *where, "--batch", "\x1b[2J"])
    said = "".join(capsys.readouterr())
    assert r"\x1b[31mRED\x1b]0;PWNED\x07\n2026-06-30  pending  pending" in said
    assert said.count(r"\x1b[2J") >= 2
    assert printable(said) == said
    assert not [line for line in said.splitlines() if line.startswith("2026-06-30")]
