"""Published samples of signatures and envelopes, each with its source."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Vector:
    """One sample.

    Attributes:
        source: Who published it.
        token: Token of the server settings.
        timestamp: Signed with the token.
        nonce: Signed with the token.
        signature: Over token, timestamp and nonce.
        msg_signature: Over token, timestamp, nonce and encrypt.
        echostr: The number to answer the URL verification with.
        encoding_aes_key: 43 characters.
        receiver_id: The id at the envelope's end.
        random16: The envelope's random bytes.
        plaintext: What is sealed.
        pad: How many bytes of padding the envelope has.
        encrypt: The sealed envelope.
    """

    source: str
    token: str = ""
    timestamp: str = ""
    nonce: str = ""
    signature: str = ""
    msg_signature: str = ""
    echostr: str = ""
    encoding_aes_key: str = ""
    receiver_id: str = ""
    random16: str = ""
    plaintext: str = ""
    pad: int = 0
    encrypt: str = ""


V1 = Vector(
    source='official guide of Mini Programs, "message push" (消息推送), section on URL verification',
    token="AAAAA",
    timestamp="1714036504",
    nonce="1514711492",
    echostr="4375120948345356249",
    signature="f464b24fc39322e44b38aa78f5edd27bd1441696",
)
V4 = Vector(
    source='official guide of Mini Programs, "message push" (消息推送), sample of a sealed reply',
    token="AAAAA",
    encoding_aes_key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    receiver_id="wxba5fad812f8e6fb9",
    timestamp="1713424427",
    nonce="415670741",
    encrypt="ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    msg_signature="1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    random16="707722b803182950",
    pad=1,
    plaintext='{"demo_resp":"good luck"}',
)
V5 = Vector(
    source="official WXBizMsgCrypt demo in Python, Sample.py",
    token="spamtest",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    receiver_id="wx2c2769f8efd9abc2",
    timestamp="1409735669",
    nonce="1320562132",
    encrypt=(
        "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFm"
        "OD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8d"
        "KOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5"
        "RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNP"
        "fUM669WuMyVWQLCzpu9GhglF2PE="
    ),
    msg_signature="5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    signature="16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
    random16="89465c840c5f116f",
    pad=2,
    plaintext=(
        "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
        "<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n"
        "<CreateTime>1409735668</CreateTime>\n"
        "<MsgType><![CDATA[text]]></MsgType>\n"
        "<Content><![CDATA[abcdteT]]></Content>\n"
        "<MsgId>6054768590064713728</MsgId>\n"
        "</xml>"
    ),
)
V7 = Vector(
    source="official sample of WeCom, VerifyURL",
    token="QDG6eK",
    encoding_aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    receiver_id="wx5823bf96d3bd56c7",
    timestamp="1409659589",
    nonce="263014780",
    encrypt="P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    msg_signature="5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    random16="c41b64491c2468d0",
    pad=7,
    plaintext="1616140317555161061",
)
V9 = Vector(
    source="binarywang/WxJava, WxCryptUtilTest.java (afterAesEncrypt)",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    receiver_id="wxb11529c136998cb6",
    random16="aaaabbbbccccdddd",
    plaintext="我是中文abcd123",
    encrypt="jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==",
)
V11 = Vector(
    source="w7corp/easywechat, EncryptorTest.php",
    token="pamtest",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    receiver_id="wxb11529c136998cb6",
    timestamp="1458300676",
    nonce="260774613",
    encrypt=(
        "rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30dMomcgrkTqdFPwnh"
        "qbk+kIQ7rZiwny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU"
        "18nWYjWqDA1ynkmOytpv7QRI1P1+0NoxL0q2zO1DgeSvnE8CZGo/o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZyc"
        "d2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrourmMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erX"
        "euNazf/o9o3lIE3q739o4c8t9QGPe31GT2Go/rOz1BsrASwvauNulCh+++yz+CQzBIuikA=="
    ),
    msg_signature="4f3ad57b6989f09f4eb392acce4f9e93942ed890",
    random16="d43123b161a4ba84",
    pad=21,
    plaintext=(
        "<xml>"
        "<URL><![CDATA[http://wechat.laravel.so/server]]></URL>"
        "<ToUserName><![CDATA[asdasdasd]]></ToUserName>"
        "<FromUserName><![CDATA[asdasdasdsadasd]]></FromUserName>"
        "<CreateTime>1234567898</CreateTime>"
        "<MsgType><![CDATA[text]]></MsgType>"
        "<Content><![CDATA[hello]]></Content>"
        "<MsgId>12345</MsgId>"
        "</xml>"
    ),
)
V12 = Vector(
    source="wechatpy/wechatpy, tests/test_crypto.py",
    token="123456",
    encoding_aes_key="kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
    receiver_id="wx49f0ab532d5d035a",
    timestamp="1411443780",
    nonce="437374425",
    encrypt="4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==",
    msg_signature="dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
    random16="2304fc2fe146f1f8",
    pad=7,
    plaintext="5927782489442352469",
)
V16 = Vector(
    source="wechatpy/wechatpy, tests/test_utils.py (test_check_signature)",
    token="test",
    timestamp="1410685589",
    nonce="test",
    signature="f21891de399b4e33a1a93c9a7b8a8fffb5a443ff",
)
C1 = Vector(
    source="constructed: the byte-wise order of the signed values is encrypt, timestamp, nonce, token",
    token="tokenA",
    timestamp="1700000000",
    nonce="B52nonce",
    encrypt="+9/abcDEF==",
    msg_signature="e801e6c86303afa41ae88c62f8a39a31718df208",
)

SIGNATURES = {"V1": V1, "V5": V5, "V16": V16}
MSG_SIGNATURES = {"V4": V4, "V5": V5, "V7": V7, "V11": V11, "V12": V12, "C1": C1}
ENVELOPES = {"V4": V4, "V5": V5, "V7": V7, "V9": V9, "V11": V11, "V12": V12}
