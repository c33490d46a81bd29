"""A simulator of WeChat's side of message push, for any endpoint."""

from wechat_msg.testing.simulator.problems import Problem
from wechat_msg.testing.simulator.simulator import AsyncPushSimulator, PushSimulator
from wechat_msg.testing.simulator.verdicts import BotResponse, Delivery, NoResponse, Try, Verdict

__all__ = ["AsyncPushSimulator", "BotResponse", "Delivery", "NoResponse", "Problem", "PushSimulator", "Try", "Verdict"]
