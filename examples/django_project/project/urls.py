"""The URLs."""

from django.conf import settings
from django.urls import path

from project.bot import router
from wechat_msg import PushEndpoint
from wechat_msg.adapters.django import push_view

endpoint = PushEndpoint(settings.WECHAT, router, store=settings.WECHAT_STORE)
urlpatterns = [path("wechat", push_view(endpoint))]
