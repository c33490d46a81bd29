"""Requests of attackers and of networks that damage them, each with the answer that it must get.

Every case can be sent over real HTTP. Signatures and envelopes are made from first principles, as an attacker would
make them, never with the code under test. "Signed" means that the attacker knows the Token.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from attrs import frozen

from tests.helpers.first_principles import (
    APPID,
    KEY,
    NONCE,
    TIMESTAMP,
    TOKEN,
    encrypt,
    fill,
    pad,
    plain_query,
    seal,
    sealed_query,
    sign,
)
from wechat_msg import (
    AppIdMismatch,
    BodyTooLarge,
    DecryptError,
    MalformedPush,
    MethodNotAllowed,
    ModeMismatch,
    PushError,
    PushSettings,
    SignatureMismatch,
    SignatureMissing,
)

OTHER_TOKEN = "someoneElse02"
OTHER_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"
MAX_BODY = 1 << 20
USER_WORDS = "words of a user"

PLAIN = PushSettings(token=TOKEN, appid=APPID)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
CLOUD_RUN = PushSettings(appid=APPID, cloud_run=True)


@frozen
class Case:
    """One request and its answer.

    Attributes:
        name: What is wrong with it.
        keyed: It goes to an endpoint with the SEALED settings; else with the PLAIN ones.
        query_string: As in the request line, without ``?``.
        body: As sent.
        status: The HTTP status of the answer.
        error: What ``open_push`` (GET: ``answer_echostr``) raises; None: the request is fine.
        method: The HTTP method.
        content_type: The Content-Type header.
    """

    name: str
    keyed: bool
    query_string: str
    body: bytes
    status: int
    error: type[PushError] | None
    method: str = "POST"
    content_type: str = "text/xml"


# --- documents and cases ---------------------------------------------------------------------------------------------


def wrap(sealed: str) -> bytes:
    return f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


def to_xml(content: str, *, head: str = "", more: str = "") -> str:
    return (
        f"{head}<xml><ToUserName>gh_1</ToUserName><FromUserName>oUSER</FromUserName><CreateTime>1714036504</CreateTime>"
        f"<MsgType>text</MsgType><MsgId>6054768590064713728</MsgId><Content>{content}</Content>{more}</xml>"
    )


def to_json(content: str, *, more: str = "") -> str:
    """Write *content*, which is JSON itself, and further members."""
    return (
        '{"ToUserName":"gh_1","FromUserName":"oUSER","CreateTime":1714036504,"MsgType":"text",'
        f'"MsgId":6054768590064713728,"Content":{content}{more}}}'
    )


def lose(body: bytes) -> dict[str, bytes]:
    """Return the ways in which networks and frameworks damage a body, by the word that `MalformedPush` uses."""
    text, encoded = body.decode(), base64.b64encode(body)
    event = {"httpMethod": "POST", "isBase64Encoded": True, "body": encoded.decode()}
    plain_event = {"httpMethod": "POST", "isBase64Encoded": False, "body": text}
    return {
        "empty": b"",
        "blank": b"\xef\xbb\xbf \r\n",
        "base64": encoded,
        "base64_in_lines": base64.encodebytes(body),
        "form_of_one_field": urlencode({"xml": text}).encode(),
        "form_of_a_name": quote(text, safe="").encode() + b"=",
        "form_of_fields": b"ToUserName=gh_1&Encrypt=%2BAAAA&MsgType=text",
        "multipart": b'--b0\r\nContent-Disposition: form-data; name="xml"\r\n\r\n' + body + b"\r\n--b0--\r\n",
        "json_string": json.dumps(text).encode(),
        "event_with_base64": json.dumps(event).encode(),
        "event_with_text": json.dumps(plain_event).encode(),
        "wrapped": json.dumps({"data": text}).encode(),
        "cut": body[:20],
        "gzip": gzip.compress(body, mtime=0),
    }


TEXT = to_xml(USER_WORDS).encode()
JSON_TEXT = to_json(json.dumps(USER_WORDS)).encode()
SEALED_TEXT = seal(TEXT)


def _plain(
    name: str,
    body: bytes = TEXT,
    *,
    query: dict[str, str] | str | None = None,
    error: type[PushError] | None = None,
    keyed: bool = False,
    method: str = "POST",
    content_type: str = "text/xml",
) -> Case:
    query = plain_query() if query is None else query
    query_string = query if isinstance(query, str) else urlencode(query)
    return Case(name, keyed, query_string, body, _status(error), error, method, content_type)


def _sealed(
    name: str,
    sealed: str = SEALED_TEXT,
    *,
    body: bytes | None = None,
    query: dict[str, str] | str | None = None,
    error: type[PushError] | None = None,
    method: str = "POST",
    content_type: str = "text/xml",
) -> Case:
    query = sealed_query(sealed) if query is None else query
    body = wrap(sealed) if body is None else body
    return _plain(name, body, query=query, error=error, keyed=True, method=method, content_type=content_type)


def _status(error: type[PushError] | None) -> int:
    return 200 if error is None else _STATUS[error]


_STATUS = {
    MalformedPush: 400,
    SignatureMismatch: 403,
    SignatureMissing: 403,
    ModeMismatch: 403,
    DecryptError: 403,
    AppIdMismatch: 403,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
}


# --- the query -------------------------------------------------------------------------------------------------------


def _spoilt_queries(query: dict[str, str], name: str) -> Iterator[tuple[str, str, type[PushError] | None]]:
    """Yield the ways in which the parameter *name* can be odd without a new signature, and the error of each."""
    value = query[name]
    rest = {other: given for other, given in query.items() if other != name}
    for spoilt, query_string in (
        ("missing", urlencode(rest)),
        ("empty", urlencode({**rest, name: ""})),
        ("repeated_with_another_value", urlencode([(name, "1"), *rest.items(), (name, value)])),
        ("as_array", urlencode({**rest, f"{name}[]": value})),
        ("in_upper_case", urlencode({**rest, name.upper(): value})),
    ):
        yield f"{name}_{spoilt}", query_string, SignatureMissing
    for spoilt, query_string in (
        ("not_ascii", urlencode({**rest, name: "签名" * 20})),
        ("not_utf8", f"{urlencode(rest)}&{name}=%ff%fe{quote(value)}"),
        ("with_nul", urlencode({**rest, name: value + "\0"})),
        ("with_blank", urlencode({**rest, name: value + " "})),
        ("cut", urlencode({**rest, name: value[:-1]})),
        ("not_a_number", urlencode({**rest, name: "$ne"})),
    ):
        yield f"{name}_{spoilt}", query_string, SignatureMismatch
    yield f"{name}_repeated", urlencode([(name, value), *rest.items(), (name, value)]), None
    yield (
        f"{name}_repeated_under_another_encoding",
        f"{urlencode(query)}&%{ord(name[0]):x}{name[1:]}={quote(value)}",
        None,
    )


_NO_TIMESTAMPS = {
    "of_letters": "yesterday",
    "negative": "-1714036504",
    "with_fraction": "1714036504.5",
    "with_exponent": "1e9",
    "hexadecimal": "0x66298bd8",
    "with_blank": " 1714036504",
    "with_line_end": "1714036504\n",
    "with_underscores": "1_714_036_504",
    "of_other_digits": "１７１４０３６５０４",
    "of_900_digits": "9" * 900,
    "not_finite": "nan",
}


def _query_cases() -> Iterator[Case]:
    for name in ("signature", "timestamp", "nonce"):
        for spoilt, query, error in _spoilt_queries(plain_query(), name):
            yield _plain(f"plain_{spoilt}", query=query, error=error)
    for name in ("msg_signature", "timestamp", "nonce"):
        query = sealed_query(SEALED_TEXT, signature=None)
        for spoilt, spoilt_query, error in _spoilt_queries(query, name):
            yield _sealed(f"sealed_{spoilt}", query=spoilt_query, error=error)
    for name, timestamp in _NO_TIMESTAMPS.items():
        query = plain_query(timestamp=timestamp)
        yield _plain(f"plain_signed_timestamp_{name}", query=query, error=MalformedPush)
        query = sealed_query(SEALED_TEXT, timestamp=timestamp)
        yield _sealed(f"sealed_signed_timestamp_{name}", query=query, error=MalformedPush)
        query = sealed_query(SEALED_TEXT, timestamp=timestamp, signature=None)
        yield _sealed(f"sealed_signed_timestamp_{name}_without_signature", query=query, error=MalformedPush)
    for keyed, make in ((False, _plain), (True, _sealed)):
        mode = "sealed" if keyed else "plain"
        yield make(f"{mode}_without_query", query="", error=SignatureMissing)
        yield make(f"{mode}_with_senseless_query", query="&&==&%&%zz&;=;", error=SignatureMissing)
        yield make(f"{mode}_with_a_thousand_parameters", query="a=&" * 1000, error=SignatureMissing)
    yield _plain("plain_signed_nonce_not_a_number", query=plain_query(nonce="o'nonce <&> 随机"))
    yield _sealed("sealed_signed_nonce_not_a_number", query=sealed_query(SEALED_TEXT, nonce="o'nonce <&> 随机"))


# --- who signed it, and in which mode --------------------------------------------------------------------------------


def _signature_cases() -> Iterator[Case]:
    upper = plain_query()["signature"].upper()
    yield _plain("plain_signed_with_another_token", query=plain_query(OTHER_TOKEN), error=SignatureMismatch)
    yield _plain("plain_signature_in_upper_hex", query=plain_query(signature=upper), error=SignatureMismatch)
    yield _plain("plain_signature_of_no_token", query=plain_query(""), error=SignatureMismatch)
    yield _plain(
        "plain_with_msg_signature_only",
        query=plain_query(signature=None, msg_signature=sign(TOKEN, TIMESTAMP, NONCE)),
        error=SignatureMissing,
    )
    query = sealed_query(SEALED_TEXT, OTHER_TOKEN)
    yield _sealed("sealed_signed_with_another_token", query=query, error=SignatureMismatch)
    query = sealed_query(SEALED_TEXT, OTHER_TOKEN, signature=sign(TOKEN, TIMESTAMP, NONCE))
    yield _sealed("sealed_msg_signature_of_another_token", query=query, error=SignatureMismatch)
    query = sealed_query(SEALED_TEXT, signature=sign(OTHER_TOKEN, TIMESTAMP, NONCE))
    yield _sealed("sealed_signature_of_another_token", query=query, error=SignatureMismatch)
    query = sealed_query(SEALED_TEXT, msg_signature=sign(TOKEN, TIMESTAMP, NONCE))
    yield _sealed("sealed_msg_signature_does_not_cover_body", query=query, error=SignatureMismatch)
    query = sealed_query(seal(to_xml("another").encode()))
    yield _sealed("sealed_signed_for_another_body", query=query, error=SignatureMismatch)
    query = sealed_query(SEALED_TEXT, signature=None)
    yield _sealed("sealed_without_url_signature", query=query)
    query = sealed_query(SEALED_TEXT, OTHER_TOKEN, signature=None)
    yield _sealed("forged_sealed_without_url_signature", query=query, error=SignatureMismatch)
    yield _sealed("forged_sealed_without_any_signature", query={"openid": "oUSER"}, error=SignatureMissing)
    yield _plain("forged_plain_without_any_signature", query={"openid": "oUSER"}, error=SignatureMissing)
    yield _plain("forged_plain_to_keyed_without_any_signature", query={}, keyed=True, error=SignatureMissing)
    yield _plain("forged_empty_body_to_keyed_without_any_signature", b"", query={}, keyed=True, error=SignatureMissing)


def _mode_cases() -> Iterator[Case]:
    for form, body in (("xml", TEXT), ("json", JSON_TEXT)):
        yield _plain(f"plain_{form}_to_keyed", body, keyed=True, error=ModeMismatch)
    for encrypt_type in ("raw", "aes", "none"):
        query = plain_query(encrypt_type=encrypt_type)
        yield _plain(f"plain_to_keyed_with_encrypt_type_{encrypt_type}", query=query, keyed=True, error=ModeMismatch)
    yield _plain("plain_with_encrypt_type_aes", query=plain_query(encrypt_type="aes"))
    yield _sealed("sealed_with_encrypt_type_raw", query=sealed_query(SEALED_TEXT, encrypt_type="raw"))
    query = sealed_query(SEALED_TEXT)
    json_body = json.dumps({"ToUserName": "gh_1", "Encrypt": SEALED_TEXT}).encode()
    compatible = to_xml(USER_WORDS, more=f"<Encrypt>{SEALED_TEXT}</Encrypt>").encode()
    for name, body in (("sealed_xml", wrap(SEALED_TEXT)), ("sealed_json", json_body), ("compatible", compatible)):
        yield _plain(f"{name}_to_keyless", body, query=query, error=ModeMismatch)
    yield _sealed("compatible_with_forged_plain_fields", body=compatible.replace(USER_WORDS.encode(), b"forged"))
    yield _sealed("compatible_without_encrypt", body=TEXT, error=ModeMismatch)
    yield _sealed("compatible_without_msg_signature", body=compatible, query=plain_query(), error=SignatureMissing)


# --- the outer document ----------------------------------------------------------------------------------------------


def _encrypt_cases() -> Iterator[Case]:
    """Encrypt that is not what it should be; the signature is right wherever there is something to sign."""
    element = f"<Encrypt>{SEALED_TEXT}</Encrypt>"
    spoilt_xml: dict[str, tuple[str, type[PushError] | None]] = {
        "empty": ("<Encrypt></Encrypt>", SignatureMismatch),
        "empty_tag": ("<Encrypt/>", SignatureMismatch),
        "blank": ("<Encrypt> \n </Encrypt>", SignatureMismatch),
        "twice": (element * 2, MalformedPush),
        "twice_with_a_forged_one_first": ("<Encrypt>AAAA</Encrypt>" + element, None),
        "twice_with_a_forged_one_last": (element + "<Encrypt>AAAA</Encrypt>", None),
        "a_hundred_times": (element * 100, MalformedPush),
        "inside_another": (f"<Encrypt>{element}</Encrypt>", None),
        "with_elements_inside": ("<Encrypt><item>AAAA</item></Encrypt>", SignatureMismatch),
        "in_lower_case": (f"<encrypt>{SEALED_TEXT}</encrypt>", MalformedPush),
        "in_a_comment": (f"<!--{element}-->", None),
        "in_the_text_of_another": (f"<Content><![CDATA[{element}]]></Content>", None),
        "as_attribute": (f'<Content Encrypt="{SEALED_TEXT}"/>', MalformedPush),
        "in_a_processing_instruction": (f"<?Encrypt {SEALED_TEXT}?>", MalformedPush),
        "with_text_behind": (element + "AAAA", None),
        "spelt_with_character_references": (
            "<Encrypt>" + "".join(f"&#{ord(char)};" for char in SEALED_TEXT) + "</Encrypt>",
            None,
        ),
        "with_blanks_around": (f"<Encrypt>\n  {SEALED_TEXT}\n</Encrypt>", None),
    }
    for name, (inner, error) in spoilt_xml.items():
        yield _sealed(f"xml_encrypt_{name}", body=f"<xml>{inner}</xml>".encode(), error=error)
    spoilt_json: dict[str, tuple[str, type[PushError]]] = {
        "empty": ('{"Encrypt":""}', SignatureMismatch),
        "null": ('{"Encrypt":null}', MalformedPush),
        "number": ('{"Encrypt":12345678}', MalformedPush),
        "boolean": ('{"Encrypt":true}', MalformedPush),
        "list": (f'{{"Encrypt":["{SEALED_TEXT}"]}}', MalformedPush),
        "object": (f'{{"Encrypt":{{"Encrypt":"{SEALED_TEXT}"}}}}', MalformedPush),
        "nested": (f'{{"xml":{{"Encrypt":"{SEALED_TEXT}"}}}}', MalformedPush),
        "twice": (f'{{"Encrypt":"{SEALED_TEXT}","Encrypt":"{SEALED_TEXT}"}}', MalformedPush),
        "twice_once_disguised": (f'{{"Encrypt":"{SEALED_TEXT}","\\u0045ncrypt":"AAAA"}}', MalformedPush),
        "disguised": (f'{{"\\u0045ncrypt":"{SEALED_TEXT}"}}', MalformedPush),
        "in_a_list": (f'[{{"Encrypt":"{SEALED_TEXT}"}}]', MalformedPush),
        "with_lone_surrogate": ('{"Encrypt":"\\ud800"}', SignatureMismatch),
    }
    for name, (text, json_error) in spoilt_json.items():
        yield _sealed(f"json_encrypt_{name}", body=text.encode(), error=json_error, content_type="application/json")
    for name, more in (
        ("disguised", f',"\\u0045ncrypt":"{SEALED_TEXT}"'),
        ("null", ',"Encrypt":null'),
        ("number", ',"Encrypt":1'),
    ):
        body = to_json('"hi"', more=more).encode()
        yield _plain(f"json_encrypt_{name}_to_keyless", body, error=MalformedPush, content_type="application/json")


# --- the envelope ----------------------------------------------------------------------------------------------------


def _envelope_cases() -> Iterator[Case]:
    """Envelopes that cannot be opened, all of them signed."""
    no_base64 = {
        "cut_by_one": SEALED_TEXT[:-1],
        "cut_by_two": SEALED_TEXT[:-2],
        "cut_to_one": SEALED_TEXT[:1],
        "with_line_ends": "\n".join((SEALED_TEXT[:76], SEALED_TEXT[76:])),
        "with_plus_become_blank": SEALED_TEXT.replace("+", " "),
        "url_safe": SEALED_TEXT.replace("+", "-").replace("/", "_"),
        "not_ascii": "密" + SEALED_TEXT[1:],
        "percent_encoded": quote(SEALED_TEXT, safe=""),
        "with_data_behind": SEALED_TEXT + "====AAAA",
        "padding_only": "====",
    }
    for name, text in no_base64.items():
        yield _sealed(f"base64_{name}", text, error=DecryptError)
    sealed = base64.b64decode(SEALED_TEXT)
    for cut in (1, 3, 15, 17):
        yield _sealed(f"envelope_cut_by_{cut}", base64.b64encode(sealed[:-cut]).decode(), error=DecryptError)
    yield _sealed("envelope_cut_by_a_block", base64.b64encode(sealed[:-16]).decode(), error=DecryptError)
    yield _sealed("envelope_cut_to_a_block", base64.b64encode(sealed[:16]).decode(), error=DecryptError)
    yield _sealed("envelope_without_its_start", base64.b64encode(sealed[16:]).decode(), error=DecryptError)
    yield _sealed("envelope_of_another_key", seal(TEXT, key=OTHER_KEY), error=DecryptError)
    yield _sealed("envelope_not_encrypted", base64.b64encode(pad(fill(TEXT))).decode(), error=DecryptError)
    for index in (0, 16, len(sealed) // 2, len(sealed) - 17, len(sealed) - 1):
        flipped = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        text = base64.b64encode(flipped).decode()
        yield _sealed(f"bit_flipped_at_{index}", text, query=sealed_query(SEALED_TEXT), error=SignatureMismatch)
    filled = fill(TEXT + b" " * ((1 - len(fill(TEXT))) % 32))  # one byte too long: 31 of padding
    padded = pad(filled)
    spoilt_padding = {
        "of_0": filled + b"\0" * 31,
        "of_0_at_the_end": padded[:-1] + b"\0",
        "of_33": filled[:-2] + bytes([33]) * 33,
        "of_255": padded[:-1] + b"\xff",
        "inconsistent_at_its_start": padded[:-31] + b"\x1e" + padded[-30:],
        "inconsistent_before_its_end": padded[:-2] + b"\x01" + padded[-1:],
        "longer_than_it_says": filled[:-1] + bytes([31]) * 32,
        "only": bytes([32]) * 32,
        "longer_than_all": bytes([32]) * 16,
    }
    for name, plain in spoilt_padding.items():
        error: type[PushError] = AppIdMismatch if name == "longer_than_it_says" else DecryptError
        yield _sealed(f"padding_{name}", encrypt(plain), error=error)
    for name, length in (("too_large", len(TEXT) + 100), ("negative", 0xFFFFFFFF), ("of_2_gigabytes", 0x7FFFFFFF)):
        yield _sealed(f"length_{name}", seal(TEXT, length=length), error=DecryptError)
    for name, length in (("zero", 0), ("one_too_small", len(TEXT) - 1), ("one_too_large", len(TEXT) + 1)):
        yield _sealed(f"length_{name}", seal(TEXT, length=length), error=AppIdMismatch)
    yield _sealed("length_swallows_appid", seal(TEXT, length=len(TEXT) + len(APPID)), error=AppIdMismatch)
    yield _sealed("envelope_without_length", encrypt(pad(b"0123456789abcdef")), error=DecryptError)
    yield _sealed("envelope_with_half_a_length", encrypt(pad(b"0123456789abcdef\0\0")), error=DecryptError)
    for name, appid in (
        ("foreign", "wxfedcba9876543210"),
        ("missing", ""),
        ("in_upper_case", APPID.upper()),
        ("longer", APPID + "0"),
        ("shorter", APPID[:-1]),
        ("with_nul", APPID + "\0"),
        ("with_blank", APPID + " "),
        ("not_ascii", "公众号"),
    ):
        yield _sealed(f"appid_{name}", seal(TEXT, appid=appid), error=AppIdMismatch)


# --- documents: as a plain push, as what is sealed, some as the outer document ---------------------------------------

_LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
_DTDS = {
    "doctype": "<!DOCTYPE xml>",
    "internal_dtd": "<!DOCTYPE xml [<!ELEMENT xml ANY>]>",
    "entity": '<!DOCTYPE xml [<!ENTITY x "text">]>',
    "external_entity": '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "parameter_entity": '<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p; <!ENTITY x "">]>',
    "external_dtd": '<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "public_dtd": '<!DOCTYPE xml PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:9/evil.dtd">',
    "billion_laughs": f'<!DOCTYPE xml [<!ENTITY l0 "lol">{_LAUGHS}<!ENTITY x "&l9;">]>',
    "quadratic_blowup": f'<!DOCTYPE xml [<!ENTITY x "{"a" * 50_000}">]>',
    "attlist": '<!DOCTYPE xml [<!ATTLIST xml Encrypt CDATA "AAAA">]>',
    "notation": '<!DOCTYPE xml [<!NOTATION n SYSTEM "file:///bin/sh">]>',
}
_DECLARED = '<?xml version="1.0" encoding="{}"?>'
_DEEP_XML = "<a>" * 100_000 + "</a>" * 100_000
_DEEP_LIST = "[" * 100_000 + "]" * 100_000
_DEEP_OBJECT = '{"a":' * 100_000 + "1" + "}" * 100_000


def _dtd_document(name: str, *, more: str = "") -> bytes:
    content = "&x;" * 20 if "ENTITY x" in _DTDS[name] else "hi"
    return to_xml(content, head='<?xml version="1.0"?>' + _DTDS[name], more=more).encode()


def _refused_documents() -> dict[str, bytes]:
    """Documents that are no pushes, although they are signed."""
    return {
        **{name: _dtd_document(name) for name in _DTDS},
        "doctype_behind_comment": to_xml("hi", head="<!-- --><!DOCTYPE xml>").encode(),
        "doctype_in_lower_case": to_xml("hi", head="<!doctype xml>").encode(),
        "doctype_behind_root": (to_xml("hi") + "<!DOCTYPE xml>").encode(),
        "undeclared_entity": to_xml("&nbsp;").encode(),
        "character_reference_to_nul": to_xml("&#0;").encode(),
        "character_reference_to_surrogate": to_xml("&#xD800;").encode(),
        "utf16_with_bom": to_xml("你好").encode("utf-16"),
        "utf16_le": to_xml("你好").encode("utf-16-le"),
        "utf16_be": to_xml("你好").encode("utf-16-be"),
        "utf16_declared": to_xml("你好", head=_DECLARED.format("UTF-16")).encode("utf-16"),
        "utf32": to_xml("你好").encode("utf-32"),
        "deep_xml": to_xml(_DEEP_XML).encode(),
        "deep_xml_not_closed": b"<a>" * 100_000,
        "xml_with_33_levels": to_xml("<a>" * 33 + "</a>" * 33).encode(),
        "deep_json_list": to_json(_DEEP_LIST).encode(),
        "deep_json_object": to_json(_DEEP_OBJECT).encode(),
        "deep_json_not_closed": b"[" * 100_000,
        "json_with_33_levels": to_json("[" * 33 + "]" * 33).encode(),
        "150000_empty_elements": b"<xml>" + b"<a/>" * 150_000 + b"</xml>",
        "20000_further_elements": to_xml("hi", more="<a/>" * 20_000).encode(),
        "20000_further_names": to_xml("hi", more="".join(f"<a{n}/>" for n in range(20_000))).encode(),
        "json_with_20000_further_lists": to_json('"hi"', more=',"a":[' + "[]," * 20_000 + "0]").encode(),
        "json_with_20000_further_objects": to_json('"hi"', more=',"a":[' + "{}," * 20_000 + "0]").encode(),
        "json_with_20000_further_numbers": to_json('"hi"', more=',"a":[' + "0," * 20_000 + "0]").encode(),
        "not_closed": TEXT[:-1],
        "cut_in_half": TEXT[: len(TEXT) // 2],
        "two_roots": TEXT * 2,
        "data_behind_root": TEXT + b"junk",
        "no_elements": b"<xml></xml>",
        "text_only": b"<xml>hi</xml>",
        "attribute_twice": b'<xml a="1" a="2"><MsgType>text</MsgType></xml>',
        "unbound_prefix_only": b"<:>",
        "html": b"<!DOCTYPE html><html><body>hi</body></html>",
        "empty": b"",
        "blank": b" \r\n\t ",
        "bom_only": b"\xef\xbb\xbf",
        "nul_only": b"\0" * 16,
        "binary": bytes(range(256)),
        "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\3\xb3\xa9\xc8\xcd\xb1\xd3\x87\x90\0\x18\x9e\x9e\x6b\x0b\0\0\0",
        "form": b"MsgType=text&Content=hi",
        "success": b"success",
        "json_number": b"1",
        "json_text": b'"text"',
        "json_null": b"null",
        "json_list": b"[" + JSON_TEXT + b"]",
        "json_empty_list": b"[]",
        "json_empty_object": b"{}",
        "json_nan": to_json('"hi"', more=',"Idx":NaN').encode(),
        "json_infinity": to_json('"hi"', more=',"Idx":-Infinity').encode(),
        "json_key_twice": to_json('"hi"', more=',"Content":"other"').encode(),
        "json_key_twice_once_escaped": to_json('"hi"', more=',"\\u0043ontent":"other"').encode(),
        "json_key_twice_deep_inside": to_json('"hi"', more=',"a":{"b":[{"c":1,"c":1}]}').encode(),
        "json_number_of_5000_digits": to_json('"hi"', more=f',"Idx":{"9" * 5000}').encode(),
        "json_with_comment": to_json('"hi"', more="/* hi */").encode(),
        "json_with_single_quotes": to_json("'hi'").encode(),
        "json_with_trailing_comma": to_json('"hi"', more=",").encode(),
        "json_cut": JSON_TEXT[:-1],
        "json_twice": JSON_TEXT * 2,
        "json_utf16": to_json('"你好"').encode("utf-16"),
        "json_utf16_le": to_json('"你好"').encode("utf-16-le"),
        "msg_type_twice": to_xml("hi", more="<MsgType>event</MsgType>").encode(),
        "msg_type_missing": TEXT.replace(b"<MsgType>text</MsgType>", b""),
        "msg_type_empty": TEXT.replace(b"<MsgType>text</MsgType>", b"<MsgType/>"),
        "msg_type_nested": TEXT.replace(b"<MsgType>text<", b"<MsgType><a>text</a><"),
        "msg_type_number": JSON_TEXT.replace(b'"text"', b"1"),
        "create_time_missing": TEXT.replace(b"<CreateTime>1714036504</CreateTime>", b""),
        "create_time_of_letters": TEXT.replace(b"1714036504", b"yesterday"),
        "create_time_negative": TEXT.replace(b"1714036504", b"-1"),
        "create_time_beyond_the_calendar": TEXT.replace(b"1714036504", b"9" * 18),
        "create_time_of_other_digits": TEXT.replace(b"1714036504", "１７１４".encode()),
        "create_time_not_finite": JSON_TEXT.replace(b"1714036504", b"1e999"),
        "create_time_twice": to_xml("hi", more="<CreateTime>1</CreateTime>").encode(),
        "from_user_name_missing": TEXT.replace(b"<FromUserName>oUSER</FromUserName>", b""),
        "from_user_name_nested": TEXT.replace(b">oUSER<", b"><a>oUSER</a><"),
        "to_user_name_missing": TEXT.replace(b"<ToUserName>gh_1</ToUserName>", b""),
        "to_user_name_list": JSON_TEXT.replace(b'"gh_1"', b'["gh_1"]'),
    }


def _odd_documents() -> dict[str, bytes]:
    """Documents that are odd, yet pushes: a message must not be lost for them."""
    return {
        "xml_control_characters": to_xml("<![CDATA[a\x01b\x1fc\x00d]]>").encode(),
        "json_control_characters": to_json('"a\x01b\x1fc\x00d"').encode(),
        "json_escaped_control_characters": to_json('"a\\u0001b\\u0000"').encode(),
        "json_lone_high_surrogate": to_json('"a\\ud83db"').encode(),
        "json_lone_low_surrogate": to_json('"a\\uDE00b"').encode(),
        "json_swapped_surrogates": to_json('"\\ude00\\ud83d"').encode(),
        "json_lone_surrogate_in_a_name": to_json('"hi"', more=',"\\ud800":1').encode(),
        "xml_bom": b"\xef\xbb\xbf" + TEXT,
        "json_bom": b"\xef\xbb\xbf" + JSON_TEXT,
        "blanks_around": b"\r\n " + TEXT + b"\r\n\0",
        "gbk": to_xml("你好").encode("gbk"),
        "gbk_declared": to_xml("你好", head=_DECLARED.format("GBK")).encode("gbk"),
        "latin1_declared": to_xml("café", head=_DECLARED.format("ISO-8859-1")).encode("latin-1"),
        "utf8_of_a_surrogate": to_xml("aXb").encode().replace(b"X", b"\xed\xa0\x80"),
        "utf8_of_a_surrogate_pair": to_xml("aXb").encode().replace(b"X", b"\xed\xa0\xbd\xed\xb8\x80"),
        "utf8_of_a_surrogate_beside_gbk": to_xml("aX你b").encode("gbk").replace(b"X", b"\xed\xa0\x80"),
        "overlong_utf8": to_xml("aXb").encode().replace(b"X", b"\xc0\xbc"),
        "cut_utf8": to_xml("aX").encode().replace(b"X", b"\xe4\xbd"),
        "xml_noncharacters": to_xml("<![CDATA[a\ufffeb\uffffc]]>").encode(),
        "json_gbk": to_json('"你好"').encode("gbk"),
        "json_cut_utf8": to_json('"aX"').encode().replace(b"X", b"\xe4\xbd"),
        "json_utf8_of_a_surrogate": to_json('"aXb"').encode().replace(b"X", b"\xed\xa0\x80"),
        "utf8_declared_as_gbk": to_xml("你好", head=_DECLARED.format("GBK")).encode(),
        "utf7_declared": to_xml("+ADwAYQA+-", head=_DECLARED.format("UTF-7")).encode(),
        "unknown_msg_type": TEXT.replace(b">text<", b">telepathy<"),
        "unknown_event": TEXT.replace(b"<MsgType>text<", b"<Event>telepathy</Event><MsgType>event<"),
        "event_without_event": TEXT.replace(b">text<", b">event<"),
        "content_missing": TEXT.replace(b"Content", b"NoContent"),
        "content_twice": to_xml("hi", more="<Content>ho</Content>").encode(),
        "content_nested": to_xml("<b>hi</b>").encode(),
        "content_null": to_json("null").encode(),
        "msg_id_beyond_64_bits": TEXT.replace(b"6054768590064713728", b"9" * 100),
        "5000_further_elements": to_xml("hi", more="<a/>" * 5_000).encode(),
        "json_with_20000_brackets_in_a_text": to_json('"' + '[{,\\"' * 5_000 + '"').encode(),
        "attributes": TEXT.replace(b"<xml>", b'<xml a="1" xmlns:x="urn:x" x:b="&lt;">'),
        "comments_and_instructions": TEXT.replace(b"<xml>", b"<!-- a --><xml><?php echo 1 ?><!-- b -->"),
        "many_cdata_sections": to_xml("<![CDATA[a]]>" * 10_000).encode(),
        "xml_in_the_content": to_xml("<![CDATA[<MsgType>event</MsgType>]]>").encode(),
    }


def _document_cases() -> Iterator[Case]:
    for name, document in _refused_documents().items():
        yield _plain(f"plain_{name}", document, error=MalformedPush)
        yield _sealed(f"inner_{name}", seal(document), error=MalformedPush)
    for name, lost in lose(TEXT).items():
        yield _plain(f"plain_lost_{name}", lost, error=MalformedPush)
    for name, document in _odd_documents().items():
        yield _plain(f"plain_{name}", document)
        yield _sealed(f"inner_{name}", seal(document))
    element = f"<Encrypt>{SEALED_TEXT}</Encrypt>"
    for name in _DTDS:
        yield _sealed(f"outer_{name}", body=_dtd_document(name, more=element), error=MalformedPush)
    outer: dict[str, tuple[bytes, type[PushError] | None]] = {
        "utf16_with_bom": (wrap(SEALED_TEXT).decode().encode("utf-16"), MalformedPush),
        "utf16_le": (wrap(SEALED_TEXT).decode().encode("utf-16-le"), MalformedPush),
        "gbk": (to_xml("你好", more=element).encode("gbk"), None),
        "gbk_declared": (to_xml("你好", head=_DECLARED.format("GBK"), more=element).encode("gbk"), None),
        "json_gbk": (to_json('"你好"', more=f',"Encrypt":"{SEALED_TEXT}"').encode("gbk"), None),
        "deep_json": (to_json(_DEEP_LIST, more=f',"Encrypt":"{SEALED_TEXT}"').encode(), MalformedPush),
        "not_closed": (wrap(SEALED_TEXT)[:-1], None),
        "two_roots": (wrap(SEALED_TEXT) * 2, MalformedPush),
        "undeclared_entity": (to_xml("&x;", more=element).encode(), None),
        "text_that_opens_elements": (to_xml("a < b <c> </d>", more=element).encode(), None),
        "section_not_closed": (to_xml("<![CDATA[a", more=element).encode(), None),
        "end_of_cdata_in_a_text": (to_xml("<![CDATA[a]]>b]]>", more=element).encode(), None),
        "encrypt_in_a_text": (to_xml("<![CDATA[<Encrypt>AAAA</Encrypt>]]>", more=element).encode(), None),
        "encrypt_behind_the_end_of_a_text": (
            to_xml("<![CDATA[a]]></Content><Encrypt>AAAA</Encrypt><Content><![CDATA[b]]>", more=element).encode(),
            None,
        ),
        "doctype_in_a_text": (to_xml("<![CDATA[<!DOCTYPE html>]]>", more=element).encode(), None),
        "2000_sections": (to_xml("", more="<a><![CDATA[]]></a>" * 2000 + element).encode(), None),
        **{name: (lost, MalformedPush) for name, lost in lose(wrap(SEALED_TEXT)).items()},
        "binary": (bytes(range(256)), MalformedPush),
        "control_characters": (to_xml("<![CDATA[a\x01\x00b]]>", more=element).encode(), None),
        "json_around_xml": (json.dumps({"Encrypt": SEALED_TEXT}).encode(), None),
    }
    for name, (body, error) in outer.items():
        yield _sealed(f"outer_{name}", body=body, error=error)
    forged = plain_query(msg_signature="0" * 40)
    yield _sealed(
        "forged_outer_deep_xml",
        body=to_xml(_DEEP_XML, more=element).encode(),
        query=forged,
        error=SignatureMismatch,
    )
    yield _sealed("inner_sealed_once_more", seal(wrap(SEALED_TEXT)), error=MalformedPush)


# --- HTTP: size, content type, method --------------------------------------------------------------------------------


def _http_cases() -> Iterator[Case]:
    room = MAX_BODY - len(to_xml(""))
    yield _plain("body_of_exactly_max_body", to_xml("a" * room).encode())
    yield _plain("body_of_one_byte_more_than_max_body", to_xml("a" * (room + 1)).encode(), error=BodyTooLarge)
    million = to_xml("hi", more="<a/>" * 1_000_000).encode()
    ten_megabytes = to_xml("a" * 10_000_000).encode()
    yield _plain("a_million_empty_elements", million, error=BodyTooLarge)
    yield _plain("body_of_10_megabytes", ten_megabytes, error=BodyTooLarge)
    yield _sealed("outer_a_million_empty_elements", body=million, error=BodyTooLarge)
    yield _sealed("outer_body_of_10_megabytes", body=ten_megabytes, error=BodyTooLarge)
    yield _plain("forged_body_of_10_megabytes", ten_megabytes, query="", error=BodyTooLarge)
    for name, content_type in (
        ("json", "application/json"),
        ("text", "text/plain; charset=gbk"),
        ("form", "application/x-www-form-urlencoded"),
        ("multipart", "multipart/form-data; boundary=x"),
        ("multipart_without_boundary", "multipart/form-data"),
        ("unknown", "application/octet-stream"),
        ("senseless", "; charset=;;="),
    ):
        yield _plain(f"plain_xml_as_{name}", content_type=content_type)
        yield _sealed(f"sealed_xml_as_{name}", content_type=content_type)
    yield _plain("plain_json_as_xml", JSON_TEXT)
    yield _plain("plain_json_as_form", JSON_TEXT, content_type="application/x-www-form-urlencoded")
    yield _sealed("inner_json_in_xml", seal(JSON_TEXT))
    for method in ("PUT", "DELETE", "PATCH", "HEAD"):
        yield _plain(f"plain_{method}", method=method, body=b"", error=MethodNotAllowed)
        yield _sealed(f"sealed_{method}", method=method, body=b"", error=MethodNotAllowed)
    yield _plain("plain_PUT_with_body", method="PUT", error=MethodNotAllowed)
    yield _sealed("sealed_PATCH_with_body", method="PATCH", error=MethodNotAllowed)


# --- GET: URL verification -------------------------------------------------------------------------------------------


def _get(name: str, query: dict[str, str] | str, error: type[PushError] | None = None, *, keyed: bool = False) -> Case:
    return _plain(f"get_{name}", b"", query=query, error=error, keyed=keyed, method="GET", content_type="")


def _echostr_cases() -> Iterator[Case]:
    query = plain_query(echostr="4375120948345356249")
    for keyed in (False, True):
        to = "_to_keyed" if keyed else ""
        for name in ("signature", "timestamp", "nonce"):
            for spoilt, spoilt_query, error in _spoilt_queries(query, name):
                yield _get(spoilt + to, spoilt_query, error, keyed=keyed)
        yield _get(f"fine{to}", query, keyed=keyed)
        yield _get(f"without_query{to}", "", SignatureMissing, keyed=keyed)
        another = plain_query(OTHER_TOKEN, echostr="1")
        yield _get(f"signed_with_another_token{to}", another, SignatureMismatch, keyed=keyed)
        for spoilt, spoilt_query, error in _spoilt_queries(query, "echostr"):
            lost = error is SignatureMissing  # echostr is not signed: whatever arrives is echoed
            yield _get(spoilt + to, spoilt_query, MalformedPush if lost else None, keyed=keyed)
        for name, timestamp in _NO_TIMESTAMPS.items():
            signed = plain_query(timestamp=timestamp, echostr="1")
            yield _get(f"signed_timestamp_{name}{to}", signed, MalformedPush, keyed=keyed)
    yield _get("echostr_is_a_script", plain_query(echostr="<script>alert(1)</script>"))
    sealed = seal(b"4375120948345356249")
    query = sealed_query(sealed, signature=None, echostr=sealed)
    yield _get("sealed_echostr", query, keyed=True)
    yield _get("sealed_echostr_to_keyless", query, ModeMismatch)
    for name in ("msg_signature", "timestamp", "nonce", "echostr"):
        for spoilt, spoilt_query, error in _spoilt_queries(query, name):
            error = SignatureMismatch if error and name == "echostr" else error  # an empty one is signed by nobody
            yield _get(f"sealed_{spoilt}", spoilt_query, error, keyed=True)
    for name, text, error in (
        ("of_another_key", seal(b"1", key=OTHER_KEY), DecryptError),
        ("of_another_account", seal(b"1", appid="wx1"), AppIdMismatch),
        ("not_text", seal(b"\xff\xfe"), DecryptError),
        ("not_base64", "4375120948345356249", DecryptError),
    ):
        yield _get(f"sealed_echostr_{name}", sealed_query(text, signature=None, echostr=text), error, keyed=True)


CASES: list[Case] = [
    *_query_cases(),
    *_signature_cases(),
    *_mode_cases(),
    *_encrypt_cases(),
    *_envelope_cases(),
    *_document_cases(),
    *_http_cases(),
    *_echostr_cases(),
]
