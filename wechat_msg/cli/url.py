"""Check addresses on the command line."""

from __future__ import annotations

import re

from wechat_msg.cli.language import Failure
from wechat_msg.errors import SettingsError
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.simulator.transports import split_url

__all__ = ["check_url"]

_WITHOUT_SCHEME = re.compile(r"(?!https?/)(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:[/?].*)?", re.ASCII)


def check_url(name: str, url: str, *, sample: str = "http://127.0.0.1:8000/wechat") -> str:
    """Return *url* if it is valid.

    Args:
        name: The name of the argument or option.
        url: The address.
        sample: A valid address, for the error.

    Raises:
        Failure: It is invalid; the text says why, and suggests an address.

    Example:
        >>> check_url("URL", "localhost:8000/wechat")
        Traceback (most recent call last):
            ...
        wechat_msg.cli.language.Failure: URL: must begin with http:// or https://; did you mean http://localhost:8000/wechat?（...
    """
    try:
        split_url(url)
    except SettingsError as error:
        error.setting = name
        why = explain_error(error)
        if _WITHOUT_SCHEME.fullmatch(url):
            better = f"http://{url.partition('?')[0]}"  # a query may have secrets
            raise Failure(Text(f"{why.en}; did you mean {better}?", f"{why.zh}，是不是 {better}？")) from None
        raise Failure(Text(f"{why.en}, as in {sample}", f"{why.zh}，例如 {sample}")) from None
    return url
