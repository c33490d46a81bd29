"""``python -m wechat_msg``: the same as the command ``wechat-msg``."""

from wechat_msg.cli import main

if __name__ == "__main__":
    main()
