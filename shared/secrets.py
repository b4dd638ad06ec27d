"""What must not get into a row, a log or a message, whoever put it into a text.

A secret is known by the name that stands before it (`sig=`, `"primaryKey": "`), or by its own shape (a JSON Web Token, a key in
base64). Texts come as JSON, as JSON within JSON, as XML, URL-encoded once or twice, and cut off anywhere. Only the secret goes; its
name stays.
"""

import re

LONGEST = 800  # characters of anyone's text worth keeping
_LOOKED_AT = 16_000  # characters of a text; a page of megabytes would take seconds
_MAYBE_HALF = 128  # characters before such a cut that may be a part of a key, too short to be known by its shape
_MARK = "…"

_NAMES = r"""(?:
    sig
  | (?:shared[ _-]?access|account|storage|primary|secondary|access|api|subscription|functions|host|master|aeg-sas)[ _-]?key
  | (?:access|refresh|id|auth|sas|session|security)[ _-]?token
  | (?:client|app|application)[ _-]?secret | client[ _-]?assertion
  | password | passwd | passphrase | pwd
  | x-identity-header | identity_header
)"""
_QUOTE = r"""(?:\\*["'] | %(?:25)*2[27] | &quot; | &\#3[49]; | \\u002[27])"""
_EQUALS = r"[=:>]"
_ENCODED_EQUALS = r"(?:%(?:25)*3[AD] | \\u003D)"
_END = r"""\\u002[267] | \\+[nrt"']"""  # of a value within JSON
_ENCODED_END = rf"{_END} | %(?:25)*(?:2[0267]|3B|09|0[AD])"
_ADDRESS = r"(?:: | %(?:25)*3A)(?:// | %(?:25)*2F%(?:25)*2F)"
_SCHEME = r"(?:bearer|basic|digest|negotiate|sharedkey(?:lite)?|sharedaccesssignature)"
_BLANK = r"(?:\s | \\+[nrt] | %(?:25)*(?:20|09|0[AD]))"
_SPACE = rf"(?:{_BLANK} | \+)"
_ABOUT_BEARERS = r"(?:tokens?|auth\w*|challenges?|schemes?|realm|error\w*|is|was|in|not)(?:[\s.,;:=)\"']|$)"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.VERBOSE)


_BY_NAME = (
    _pattern(
        rf"(authorization {_QUOTE}? \s* (?:{_EQUALS}|{_ENCODED_EQUALS}) {_BLANK}* {_QUOTE}? (?:{_SCHEME}{_SPACE}+)?) [^\s\"'<>]+"
    ),
    _pattern(rf"(bearer{_SPACE}+) (?!{_ABOUT_BEARERS}) [^\s&\"'<>]+"),
    _pattern(rf"({_NAMES} {_QUOTE}? \s* {_ENCODED_EQUALS} {_BLANK}* {_QUOTE}?) (?:(?!{_ENCODED_END})[^\s\"'<>&;,])+"),
    _pattern(rf"({_NAMES} {_QUOTE}? \s* {_EQUALS} \s* {_QUOTE}) (?:(?!{_END})[^\s\"'<>])+"),
    _pattern(rf"({_NAMES} {_QUOTE}? \s* {_EQUALS} \s*) (?:(?!{_END})[^\s\"'<>&;,])+"),
    _pattern(
        rf"((?: [?&] | %(?:25)*(?:3F|26) | \\u0026) code (?:=|{_ENCODED_EQUALS})) [^\s\"'<>&]+"
    ),  # the key of a function, in a webhook's address
    _pattern(
        rf"(https?{_ADDRESS}) (?:(?!%(?:25)*(?:2[0F]|40))[^\s/\"'<>@])+ (?=@|%(?:25)*40)"
    ),  # whom a package or a repository is fetched as
)
_BY_SHAPE = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"eyJ[\w-]{6,}(?:(?:\.|%2[Ee])+[\w-]+)*", re.ASCII),  # a JSON Web Token, whole or cut
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}+={1,2}"),  # 32 bytes or more in base64, as accounts' and queues' keys are
    re.compile(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]|%(?:25)*2[BbFf]|\\u002[BbFf]){40,600}+(?:(?:%(?:25)*|\\u00)3[Dd]){1,2}"),
    re.compile(r"(?<![\w+/-])[\w+/-]{40,}+={1,2}(?![\w%])", re.ASCII),  # likewise for URLs, as functions' keys are
    re.compile(r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{20,}"),  # Azure's keys of 84 characters, marked as such
    re.compile(r"[\w.~-]{3}\dQ~[\w.~-]{20,}", re.ASCII),  # a client secret of Entra
)


def without_secrets(text: str, longest: int = LONGEST) -> str:
    """The text, readable, cut to `longest` characters. Doing it again changes nothing: row, log and event tell the same."""
    marked = _marked(text[:_LOOKED_AT])
    if len(text) > _LOOKED_AT:
        marked = marked[:-_MAYBE_HALF]
    return _marked(marked[:longest])


def _marked(text: str) -> str:
    for named in _BY_NAME:
        text = named.sub(rf"\1{_MARK}", text)
    for shape in _BY_SHAPE:
        text = shape.sub(_MARK, text)
    return text
