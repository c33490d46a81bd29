"""How fast: ratios against the bare C calls and against wechatpy, measured in turns within one run."""
