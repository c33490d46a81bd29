"""WeChat's side of message push, played against any endpoint."""

from wechat_msg.testing.simulator.problems import Problem
from wechat_msg.testing.simulator.results import Answer, Delivery, NoAnswer, Try, Verdict
from wechat_msg.testing.simulator.simulator import AsyncPushSimulator, PushSimulator

__all__ = ["Answer", "AsyncPushSimulator", "Delivery", "NoAnswer", "Problem", "PushSimulator", "Try", "Verdict"]
