"""A simulator of WeChat's side of message push, for any endpoint."""

from wechat_msg.testing.simulator.problems import Problem
from wechat_msg.testing.simulator.results import BotResponse, Delivery, NoResponse, Try, Verdict
from wechat_msg.testing.simulator.simulator import AsyncPushSimulator, PushSimulator

__all__ = ["AsyncPushSimulator", "BotResponse", "Delivery", "NoResponse", "Problem", "PushSimulator", "Try", "Verdict"]
