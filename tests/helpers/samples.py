"""A push of every registered type as XML and as JSON, in the shapes that WeChat sends, with the model it must give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from attrs import frozen, has

from tests.helpers.event_samples import CLASSES, FIELDS, FLAT, XML
from tests.helpers.pushes import PUSHES
from wechat_msg import (
    ArticleDetail,
    ArticleUrl,
    ArticleUrlResult,
    ClickEvent,
    CopyrightCheckItem,
    CopyrightCheckResult,
    DeviceEventMessage,
    DeviceStatusMessage,
    DeviceTextMessage,
    Event,
    FileMessage,
    ImageMessage,
    KfCloseSessionEvent,
    KfCreateSessionEvent,
    KfSwitchSessionEvent,
    LinkMessage,
    LocationEvent,
    LocationMessage,
    LocationSelectEvent,
    MassSendJobFinishEvent,
    MediaCheckDetail,
    MediaCheckResult,
    Message,
    MiniProgramPageMessage,
    PicItem,
    PicPhotoOrAlbumEvent,
    PicSysPhotoEvent,
    PicWeixinEvent,
    PublishedArticle,
    PublishEventInfo,
    PublishJobFinishEvent,
    ScanCodeInfo,
    ScanCodePushEvent,
    ScanCodeWaitMsgEvent,
    ScanEvent,
    SendLocationInfo,
    SendPicsInfo,
    ShortVideoMessage,
    SubscribeEvent,
    SubscribeMsgChange,
    SubscribeMsgChangeEvent,
    SubscribeMsgPopup,
    SubscribeMsgPopupEvent,
    SubscribeMsgSent,
    SubscribeMsgSentEvent,
    TemplateSendJobFinishEvent,
    TextMessage,
    UnsubscribeEvent,
    UserAuthorizationCancellationEvent,
    UserAuthorizationRevokeEvent,
    UserEnterTempSessionEvent,
    UserInfoModifiedEvent,
    VideoMessage,
    ViewEvent,
    ViewMiniProgramEvent,
    VoiceMessage,
    WxaMediaCheckEvent,
    events,
)
from wechat_msg.fields import snake_case

__all__ = ["ACCOUNT", "CREATE_TIME", "EVENTS", "MESSAGES", "MSG_ID", "OTHER_NAMES", "SAMPLES", "USER", "Sample"]

ACCOUNT = "gh_0123456789ab"
USER = "oABCDEFGHIJKLMNOPQRSTUVWXYZ0"
CREATE_TIME = 1700000000
MSG_ID = "24123456789012345"  # more than 2**53, and odd: no float holds it
MD5 = "1b5f7c23b5bf75682a53e7b6d163e185"
OTHER_MD5 = "5a75aaca956d97be686719218f275c6b"
#: Second names of fields, where WeChat itself is not consistent.
OTHER_NAMES = {
    "MsgId": "msg_id",
    "InfoType": "event",
    "openid": "open_id",
    "appid": "app_id",
    "AppId": "authorize_app_id",
    "create_time": "own_create_time",
    "WaybillId": "way_bill_id",
    "EventData": "data",
}


@frozen
class Sample:
    """The same push in both formats, and the model that both must give."""

    name: str
    xml: bytes
    json: bytes
    model: Message

    def __str__(self) -> str:
        return self.name


def _sample(name: str, xml: str, fields: dict[str, Any], model: Message) -> Sample:
    document = f"""<xml>
  <ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>
  <FromUserName><![CDATA[{USER}]]></FromUserName>
  <CreateTime>{CREATE_TIME}</CreateTime>
  {xml.strip()}
</xml>"""
    common = {"ToUserName": ACCOUNT, "FromUserName": USER, "CreateTime": CREATE_TIME}
    return Sample(name, document.encode(), json.dumps({**common, **fields}, ensure_ascii=False).encode(), model)


def _write_xml(fields: Mapping[str, Any]) -> str:
    """Write texts as CDATA, numbers as they are, and a list as repeated elements."""
    pairs = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return "".join(f"\n  <{name}>{_write_value(value)}</{name}>" for name, value in pairs)


def _write_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _write_xml(value)
    return f"<![CDATA[{value}]]>" if isinstance(value, str) else json.dumps(value)


def _message(name: str, fields: dict[str, Any], cls: type[Message], *, xml: str = "", **values: Any) -> Sample:
    msg_type = name.split()[0]
    common = {"to_user_name": ACCOUNT, "from_user_name": USER, "create_time": CREATE_TIME, "msg_id": MSG_ID}
    return _sample(
        name,
        f"<MsgType><![CDATA[{msg_type}]]></MsgType>\n  <MsgId>{MSG_ID}</MsgId>{xml or _write_xml(fields)}",
        {"MsgType": msg_type, "MsgId": int(MSG_ID), **fields},
        cls(**common, msg_type=msg_type, **values),
    )


def _event(name: str, fields: dict[str, Any], cls: type[Event], *, xml: str = "", **values: Any) -> Sample:
    """Return the sample of an event; without *xml*, texts are CDATA in XML, and whole numbers are not."""
    event = name.split()[0]
    return _sample(
        name,
        f"<MsgType><![CDATA[event]]></MsgType>\n  <Event><![CDATA[{event}]]></Event>{xml or _write_xml(fields)}",
        {"MsgType": "event", "Event": event, **fields},
        cls(
            to_user_name=ACCOUNT,
            from_user_name=USER,
            create_time=CREATE_TIME,
            msg_type="event",
            event=event,
            **values,
        ),
    )


MESSAGES = (
    _message(
        "text",
        {"Content": " 你好, <b>two</b>\nwords "},
        TextMessage,
        content=" 你好, <b>two</b>\nwords ",
    ),
    _message(
        "text from an article, by a click on a menu message",
        {"Content": "Yes", "bizmsgmenuid": 101, "MsgDataId": "2650000001_3", "Idx": "3", "BusinessId": 9},
        TextMessage,
        xml="""
  <Content><![CDATA[Yes]]></Content>
  <bizmsgmenuid>101</bizmsgmenuid>
  <MsgDataId>2650000001_3</MsgDataId>
  <Idx>3</Idx>
  <BusinessId>9</BusinessId>""",
        content="Yes",
        bizmsgmenuid="101",
        msg_data_id="2650000001_3",
        idx=3,
        business_id="9",
    ),
    _message(
        "image",
        {"PicUrl": "http://mmbiz.example/pic/0?a=1&b=2", "MediaId": "MEDIA_IMAGE"},
        ImageMessage,
        pic_url="http://mmbiz.example/pic/0?a=1&b=2",
        media_id="MEDIA_IMAGE",
    ),
    _message(
        "voice",
        {
            "MediaId": "MEDIA_VOICE",
            "Format": "amr",
            "MediaId16K": "MEDIA_VOICE_16K",
            "Recognition": "今天天气怎么样。",
        },
        VoiceMessage,
        media_id="MEDIA_VOICE",
        format="amr",
        media_id16_k="MEDIA_VOICE_16K",
        recognition="今天天气怎么样。",
    ),
    _message(
        "video",
        {"MediaId": "MEDIA_VIDEO", "ThumbMediaId": "THUMB_VIDEO"},
        VideoMessage,
        media_id="MEDIA_VIDEO",
        thumb_media_id="THUMB_VIDEO",
    ),
    _message(
        "shortvideo",
        {"MediaId": "MEDIA_SHORT", "ThumbMediaId": "THUMB_SHORT"},
        ShortVideoMessage,
        media_id="MEDIA_SHORT",
        thumb_media_id="THUMB_SHORT",
    ),
    _message(
        "location",
        {"Location_X": 23.134521, "Location_Y": "-113.358803", "Scale": 20, "Label": "广州市海珠区客村"},
        LocationMessage,
        xml="""
  <Location_X>23.134521</Location_X>
  <Location_Y>-113.358803</Location_Y>
  <Scale>20</Scale>
  <Label><![CDATA[广州市海珠区客村]]></Label>""",
        location_x=23.134521,
        location_y=-113.358803,
        scale=20.0,
        label="广州市海珠区客村",
    ),
    _message(
        "link",
        {"Title": "A page", "Description": "What it is about", "Url": "https://example.com/page?a=1&b=2"},
        LinkMessage,
        title="A page",
        description="What it is about",
        url="https://example.com/page?a=1&b=2",
    ),
    _message(
        "file",
        {
            "Title": "report.pdf",
            "Description": "the yearly report",
            "FileKey": "FILE_KEY",
            "FileMd5": MD5,
            "FileTotalLen": "51217",
        },
        FileMessage,
        xml=f"""
  <Title><![CDATA[report.pdf]]></Title>
  <Description><![CDATA[the yearly report]]></Description>
  <FileKey><![CDATA[FILE_KEY]]></FileKey>
  <FileMd5><![CDATA[{MD5}]]></FileMd5>
  <FileTotalLen>51217</FileTotalLen>""",
        title="report.pdf",
        description="the yearly report",
        file_key="FILE_KEY",
        file_md5=MD5,
        file_total_len=51217,
    ),
    _message(
        "miniprogrampage",
        {
            "Title": "A card",
            "AppId": "wx0123456789abcdef",
            "PagePath": "pages/index/index?a=1",
            "ThumbUrl": "https://example.com/thumb",
            "ThumbMediaId": "THUMB_CARD",
        },
        MiniProgramPageMessage,
        title="A card",
        app_id="wx0123456789abcdef",
        page_path="pages/index/index?a=1",
        thumb_url="https://example.com/thumb",
        thumb_media_id="THUMB_CARD",
    ),
    _message(
        "device_text",
        {
            "DeviceType": "gh_0123456789ab",
            "DeviceID": "D1",
            "Content": "ZGF0YQ==",
            "SessionID": 9223372036854775807,
            "OpenID": "oDEVICE",
        },
        DeviceTextMessage,
        device_type="gh_0123456789ab",
        device_id="D1",
        content="ZGF0YQ==",
        session_id="9223372036854775807",
        open_id="oDEVICE",
    ),
    _message(
        "device_event",
        {
            "Event": "bind",
            "DeviceType": "gh_0123456789ab",
            "DeviceID": "D1",
            "Content": "",
            "SessionID": 0,
            "OpenID": "oDEVICE",
            "OpType": 0,
            "DeviceStatus": "1",
        },
        DeviceEventMessage,
        event="bind",
        op_type="0",
        device_status=1,
        device_type="gh_0123456789ab",
        device_id="D1",
        content="",
        session_id="0",
        open_id="oDEVICE",
    ),
    _message(
        "device_status",
        {"DeviceType": "gh_0123456789ab", "DeviceID": "D1", "OpenID": "oDEVICE"},
        DeviceStatusMessage,
        device_type="gh_0123456789ab",
        device_id="D1",
        open_id="oDEVICE",
    ),
)

_RELATION_EVENTS = (
    _event(
        "subscribe by a QR code",
        {"EventKey": "qrscene_123", "Ticket": "TICKET"},
        SubscribeEvent,
        event_key="qrscene_123",
        ticket="TICKET",
    ),
    _event(
        "subscribe another way",
        {"EventKey": ""},
        SubscribeEvent,
        event_key="",
    ),
    _event(
        "unsubscribe",
        {"EventKey": ""},
        UnsubscribeEvent,
        xml="""
  <EventKey></EventKey>""",
        event_key="",
    ),
    _event(
        "SCAN",
        {"EventKey": 123, "Ticket": "TICKET"},
        ScanEvent,
        xml="""
  <EventKey><![CDATA[123]]></EventKey>
  <Ticket><![CDATA[TICKET]]></Ticket>""",
        event_key="123",
        ticket="TICKET",
    ),
    _event(
        "LOCATION",
        {"Latitude": "23.137466", "Longitude": 113.352425, "Precision": "119.385040"},
        LocationEvent,
        xml="""
  <Latitude>23.137466</Latitude>
  <Longitude>113.352425</Longitude>
  <Precision>119.385040</Precision>""",
        latitude=23.137466,
        longitude=113.352425,
        precision=119.38504,
    ),
)

_MENU_EVENTS = (
    _event(
        "CLICK",
        {"EventKey": "BUTTON_1"},
        ClickEvent,
        event_key="BUTTON_1",
    ),
    _event(
        "VIEW",
        {"EventKey": "https://example.com/?a=1&b=2", "MenuId": 238923},
        ViewEvent,
        event_key="https://example.com/?a=1&b=2",
        menu_id="238923",
    ),
    _event(
        "view_miniprogram",
        {"EventKey": "pages/index/index", "MenuId": "238924"},
        ViewMiniProgramEvent,
        xml="""
  <EventKey><![CDATA[pages/index/index]]></EventKey>
  <MenuId>238924</MenuId>""",
        event_key="pages/index/index",
        menu_id="238924",
    ),
    _event(
        "scancode_push",
        {"EventKey": "6", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "https://example.com/1"}},
        ScanCodePushEvent,
        xml="""
  <EventKey><![CDATA[6]]></EventKey>
  <ScanCodeInfo><ScanType><![CDATA[qrcode]]></ScanType><ScanResult><![CDATA[https://example.com/1]]></ScanResult></ScanCodeInfo>""",
        event_key="6",
        scan_code_info=ScanCodeInfo(scan_type="qrcode", scan_result="https://example.com/1"),
    ),
    _event(
        "scancode_waitmsg",
        {"EventKey": "7", "ScanCodeInfo": {"ScanType": "barcode", "ScanResult": "EAN_13,6901234567892"}},
        ScanCodeWaitMsgEvent,
        xml="""
  <EventKey><![CDATA[7]]></EventKey>
  <ScanCodeInfo>
    <ScanType><![CDATA[barcode]]></ScanType>
    <ScanResult>
      <![CDATA[EAN_13,6901234567892]]>
    </ScanResult>
  </ScanCodeInfo>""",
        event_key="7",
        scan_code_info=ScanCodeInfo(scan_type="barcode", scan_result="EAN_13,6901234567892"),
    ),
    _event(
        "pic_sysphoto with one picture",
        {"EventKey": "3", "SendPicsInfo": {"Count": 1, "PicList": {"item": {"PicMd5Sum": MD5}}}},
        PicSysPhotoEvent,
        xml=f"""
  <EventKey><![CDATA[3]]></EventKey>
  <SendPicsInfo><Count>1</Count>
    <PicList><item><PicMd5Sum><![CDATA[{MD5}]]></PicMd5Sum></item></PicList></SendPicsInfo>""",
        event_key="3",
        send_pics_info=SendPicsInfo(count=1, pic_list=(PicItem(pic_md5_sum=MD5),)),
    ),
    _event(
        "pic_photo_or_album with several pictures",
        {"EventKey": "4", "SendPicsInfo": {"Count": "2", "PicList": [{"PicMd5Sum": MD5}, {"PicMd5Sum": OTHER_MD5}]}},
        PicPhotoOrAlbumEvent,
        xml=f"""
  <EventKey><![CDATA[4]]></EventKey>
  <SendPicsInfo><Count>2</Count>
    <PicList>
      <item><PicMd5Sum><![CDATA[{MD5}]]></PicMd5Sum></item>
      <item><PicMd5Sum><![CDATA[{OTHER_MD5}]]></PicMd5Sum></item>
    </PicList></SendPicsInfo>""",
        event_key="4",
        send_pics_info=SendPicsInfo(count=2, pic_list=(PicItem(pic_md5_sum=MD5), PicItem(pic_md5_sum=OTHER_MD5))),
    ),
    _event(
        "pic_weixin without a picture",
        {"EventKey": "5", "SendPicsInfo": {"Count": 0, "PicList": []}},
        PicWeixinEvent,
        xml="""
  <EventKey><![CDATA[5]]></EventKey>
  <SendPicsInfo><Count>0</Count>
    <PicList>
    </PicList></SendPicsInfo>""",
        event_key="5",
        send_pics_info=SendPicsInfo(count=0, pic_list=()),
    ),
    _event(
        "location_select",
        {
            "EventKey": "8",
            "SendLocationInfo": {
                "Location_X": "-23",
                "Location_Y": "113.5",
                "Scale": "15",
                "Label": "an address",
                "Poiname": "a tower",
            },
        },
        LocationSelectEvent,
        xml="""
  <EventKey><![CDATA[8]]></EventKey>
  <SendLocationInfo><Location_X><![CDATA[-23]]></Location_X><Location_Y><![CDATA[113.5]]></Location_Y>
    <Scale><![CDATA[15]]></Scale><Label><![CDATA[an address]]></Label><Poiname><![CDATA[a tower]]></Poiname>
  </SendLocationInfo>""",
        event_key="8",
        send_location_info=SendLocationInfo(
            location_x=-23.0, location_y=113.5, scale=15.0, label="an address", poiname="a tower"
        ),
    ),
)

_JOB_EVENTS = (
    _event(
        "TEMPLATESENDJOBFINISH",
        {"MsgID": 200163836, "Status": "failed: system failed"},
        TemplateSendJobFinishEvent,
        msg_id="200163836",
        status="failed: system failed",
    ),
    _event(
        "MASSSENDJOBFINISH",
        {
            "MsgID": "1000001625",
            "Status": "err(30003)",
            "TotalCount": 100,
            "FilterCount": "80",
            "SentCount": 75,
            "ErrorCount": "5",
            "CopyrightCheckResult": {
                "Count": 2,
                "ResultList": [
                    {
                        "ArticleIdx": 1,
                        "UserDeclareState": "0",
                        "AuditState": 2,
                        "OriginalArticleUrl": "https://example.com/1",
                        "OriginalArticleType": 1,
                        "CanReprint": True,
                        "NeedReplaceContent": 1,
                        "NeedShowReprintSource": "1",
                    },
                    {"ArticleIdx": 2, "AuditState": 3},
                ],
                "CheckState": 2,
            },
            "ArticleUrlResult": {
                "Count": 1,
                "ResultList": {"item": [{"ArticleIdx": 1, "ArticleUrl": "https://example.com/a"}]},
            },
        },
        MassSendJobFinishEvent,
        xml="""
  <MsgID>1000001625</MsgID>
  <Status><![CDATA[err(30003)]]></Status>
  <TotalCount>100</TotalCount>
  <FilterCount>80</FilterCount>
  <SentCount>75</SentCount>
  <ErrorCount>5</ErrorCount>
  <CopyrightCheckResult>
    <Count>2</Count>
    <ResultList>
      <item>
        <ArticleIdx>1</ArticleIdx>
        <UserDeclareState>0</UserDeclareState>
        <AuditState>2</AuditState>
        <OriginalArticleUrl><![CDATA[https://example.com/1]]></OriginalArticleUrl>
        <OriginalArticleType>1</OriginalArticleType>
        <CanReprint>1</CanReprint>
        <NeedReplaceContent>1</NeedReplaceContent>
        <NeedShowReprintSource>1</NeedShowReprintSource>
      </item>
      <item>
        <ArticleIdx>2</ArticleIdx>
        <AuditState>3</AuditState>
      </item>
    </ResultList>
    <CheckState>2</CheckState>
  </CopyrightCheckResult>
  <ArticleUrlResult>
    <Count>1</Count>
    <ResultList>
      <item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[https://example.com/a]]></ArticleUrl></item>
    </ResultList>
  </ArticleUrlResult>""",
        msg_id="1000001625",
        status="err(30003)",
        total_count=100,
        filter_count=80,
        sent_count=75,
        error_count=5,
        copyright_check_result=CopyrightCheckResult(
            count=2,
            result_list=(
                CopyrightCheckItem(
                    article_idx=1,
                    user_declare_state=0,
                    audit_state=2,
                    original_article_url="https://example.com/1",
                    original_article_type=1,
                    can_reprint=1,
                    need_replace_content=1,
                    need_show_reprint_source=1,
                ),
                CopyrightCheckItem(article_idx=2, audit_state=3),
            ),
            check_state=2,
        ),
        article_url_result=ArticleUrlResult(
            count=1, result_list=(ArticleUrl(article_idx=1, article_url="https://example.com/a"),)
        ),
    ),
    _event(
        "MASSSENDJOBFINISH without articles",
        {
            "MsgID": 1000001626,
            "Status": "send success",
            "TotalCount": 1,
            "FilterCount": 1,
            "SentCount": 1,
            "ErrorCount": 0,
            "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 0},
            "ArticleUrlResult": None,
        },
        MassSendJobFinishEvent,
        xml="""
  <MsgID>1000001626</MsgID>
  <Status><![CDATA[send success]]></Status>
  <TotalCount>1</TotalCount>
  <FilterCount>1</FilterCount>
  <SentCount>1</SentCount>
  <ErrorCount>0</ErrorCount>
  <CopyrightCheckResult>
    <Count>0</Count>
    <ResultList></ResultList>
    <CheckState>0</CheckState>
  </CopyrightCheckResult>
  <ArticleUrlResult>
  </ArticleUrlResult>""",
        msg_id="1000001626",
        status="send success",
        total_count=1,
        filter_count=1,
        sent_count=1,
        error_count=0,
        copyright_check_result=CopyrightCheckResult(count=0, result_list=(), check_state=0),
    ),
    _event(
        "PUBLISHJOBFINISH with success",
        {
            "PublishEventInfo": {
                "publish_id": 2247503051,
                "publish_status": "0",
                "article_id": "ARTICLE_ID",
                "article_detail": {"count": 1, "item": [{"idx": 1, "article_url": "https://example.com/a"}]},
            }
        },
        PublishJobFinishEvent,
        xml="""
  <PublishEventInfo>
    <publish_id>2247503051</publish_id>
    <publish_status>0</publish_status>
    <article_id><![CDATA[ARTICLE_ID]]></article_id>
    <article_detail>
      <count>1</count>
      <item><idx>1</idx><article_url><![CDATA[https://example.com/a]]></article_url></item>
    </article_detail>
  </PublishEventInfo>""",
        publish_event_info=PublishEventInfo(
            publish_id="2247503051",
            publish_status=0,
            article_id="ARTICLE_ID",
            article_detail=ArticleDetail(count=1, item=(PublishedArticle(idx=1, article_url="https://example.com/a"),)),
        ),
    ),
    _event(
        "FREEPUBLISHJOBFINISH with failures",
        {"PublishEventInfo": {"publish_id": "2247503052", "publish_status": 2, "fail_idx": [1, "2"]}},
        PublishJobFinishEvent,
        xml="""
  <PublishEventInfo>
    <publish_id>2247503052</publish_id>
    <publish_status>2</publish_status>
    <fail_idx>1</fail_idx>
    <fail_idx>2</fail_idx>
  </PublishEventInfo>""",
        publish_event_info=PublishEventInfo(publish_id="2247503052", publish_status=2, fail_idx=(1, 2)),
    ),
    _event(
        "PUBLISHJOBFINISH with one failure",
        {"PublishEventInfo": {"publish_id": "2247503053", "publish_status": 4, "fail_idx": 3}},
        PublishJobFinishEvent,
        xml="""
  <PublishEventInfo>
    <publish_id>2247503053</publish_id>
    <publish_status>4</publish_status>
    <fail_idx>3</fail_idx>
  </PublishEventInfo>""",
        publish_event_info=PublishEventInfo(publish_id="2247503053", publish_status=4, fail_idx=(3,)),
    ),
)

_CUSTOMER_SERVICE_EVENTS = (
    _event(
        "kf_create_session",
        {"KfAccount": "anna@example"},
        KfCreateSessionEvent,
        kf_account="anna@example",
    ),
    _event(
        "kf_close_session",
        {"KfAccount": "anna@example", "CloseType": "KF"},
        KfCloseSessionEvent,
        kf_account="anna@example",
        close_type="KF",
    ),
    _event(
        "kf_switch_session",
        {"FromKfAccount": "anna@example", "ToKfAccount": "ben@example"},
        KfSwitchSessionEvent,
        from_kf_account="anna@example",
        to_kf_account="ben@example",
    ),
    _event(
        "user_enter_tempsession",
        {"SessionFrom": "order=42"},
        UserEnterTempSessionEvent,
        session_from="order=42",
    ),
)

_SUBSCRIPTION_EVENTS = (
    _event(
        "subscribe_msg_popup_event with several choices",
        {
            "CreateTime": str(CREATE_TIME),
            "List": [
                {"TemplateId": "TID1", "SubscribeStatusString": "accept", "PopupScene": "2"},
                {"TemplateId": "TID2", "SubscribeStatusString": "reject", "PopupScene": 2},
            ],
        },
        SubscribeMsgPopupEvent,
        xml="""
  <SubscribeMsgPopupEvent>
    <List>
      <TemplateId><![CDATA[TID1]]></TemplateId>
      <SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString>
      <PopupScene>2</PopupScene>
    </List>
    <List>
      <TemplateId><![CDATA[TID2]]></TemplateId>
      <SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString>
      <PopupScene>2</PopupScene>
    </List>
  </SubscribeMsgPopupEvent>""",
        list=(
            SubscribeMsgPopup(template_id="TID1", subscribe_status_string="accept", popup_scene=2),
            SubscribeMsgPopup(template_id="TID2", subscribe_status_string="reject", popup_scene=2),
        ),
    ),
    _event(
        "subscribe_msg_change_event with one change",
        {
            "CreateTime": str(CREATE_TIME),
            "List": {"TemplateId": "TID1", "SubscribeStatusString": "reject"},
        },
        SubscribeMsgChangeEvent,
        xml="""
  <SubscribeMsgChangeEvent>
    <List>
      <TemplateId><![CDATA[TID1]]></TemplateId>
      <SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString>
    </List>
  </SubscribeMsgChangeEvent>""",
        list=(SubscribeMsgChange(template_id="TID1", subscribe_status_string="reject"),),
    ),
    _event(
        "subscribe_msg_sent_event with one message",
        {
            "CreateTime": str(CREATE_TIME),
            "List": {
                "TemplateId": "TID",
                "MsgID": "1864323726461255681",
                "ErrorCode": "0",
                "ErrorStatus": "success",
            },
        },
        SubscribeMsgSentEvent,
        xml="""
  <SubscribeMsgSentEvent>
    <List>
      <TemplateId><![CDATA[TID]]></TemplateId>
      <MsgID>1864323726461255681</MsgID>
      <ErrorCode>0</ErrorCode>
      <ErrorStatus><![CDATA[success]]></ErrorStatus>
    </List>
  </SubscribeMsgSentEvent>""",
        list=(SubscribeMsgSent(template_id="TID", msg_id="1864323726461255681", error_code=0, error_status="success"),),
    ),
    _event(
        "subscribe_msg_change_event without a change",
        {"List": []},
        SubscribeMsgChangeEvent,
        xml="""
  <SubscribeMsgChangeEvent>
  </SubscribeMsgChangeEvent>""",
        list=(),
    ),
)

_USER_INFO_EVENTS = (
    _event(
        "user_info_modified",
        {
            "OpenID": "oOTHER",
            "AppID": "wx0123456789abcdef",
            "RevokeInfo": 6,
            "PluginID": "wx00000000000000aa",
            "OpenPID": "oPLUGIN",
            "UnionID": "uUNION",
        },
        UserInfoModifiedEvent,
        xml="""
  <OpenID><![CDATA[oOTHER]]></OpenID>
  <AppID><![CDATA[wx0123456789abcdef]]></AppID>
  <RevokeInfo><![CDATA[6]]></RevokeInfo>
  <PluginID><![CDATA[wx00000000000000aa]]></PluginID>
  <OpenPID><![CDATA[oPLUGIN]]></OpenPID>
  <UnionID><![CDATA[uUNION]]></UnionID>""",
        open_id="oOTHER",
        app_id="wx0123456789abcdef",
        revoke_info="6",
        plugin_id="wx00000000000000aa",
        open_pid="oPLUGIN",
        union_id="uUNION",
    ),
    _event(
        "user_authorization_revoke",
        {"OpenID": "oOTHER", "AppID": "wx0123456789abcdef", "RevokeInfo": "13"},
        UserAuthorizationRevokeEvent,
        open_id="oOTHER",
        app_id="wx0123456789abcdef",
        revoke_info="13",
    ),
    _event(
        "user_authorization_cancellation of a mobile app",
        {"openid": "oOTHER", "appid": "wx0123456789abcdef"},
        UserAuthorizationCancellationEvent,
        open_id="oOTHER",
        app_id="wx0123456789abcdef",
    ),
)

_CONTENT_CHECK_EVENTS = (
    _event(
        "wxa_media_check",
        {
            "appid": "wx0123456789abcdef",
            "trace_id": "60ae120f-371d5872-7941a05b",
            "version": 2,
            "errcode": "-1008",
            "errmsg": "download error",
            "result": {"suggest": "risky", "label": 20001},
            "detail": [
                {"strategy": "content_model", "errcode": 0, "suggest": "review", "label": "20006", "prob": 90},
                {"strategy": "keyword", "errcode": 0},
            ],
        },
        WxaMediaCheckEvent,
        xml="""
  <appid><![CDATA[wx0123456789abcdef]]></appid>
  <trace_id><![CDATA[60ae120f-371d5872-7941a05b]]></trace_id>
  <version>2</version>
  <errcode>-1008</errcode>
  <errmsg><![CDATA[download error]]></errmsg>
  <result><suggest><![CDATA[risky]]></suggest><label>20001</label></result>
  <detail>
    <strategy><![CDATA[content_model]]></strategy>
    <errcode>0</errcode>
    <suggest><![CDATA[review]]></suggest>
    <label>20006</label>
    <prob>90</prob>
  </detail>
  <detail>
    <strategy><![CDATA[keyword]]></strategy>
    <errcode>0</errcode>
  </detail>""",
        appid="wx0123456789abcdef",
        trace_id="60ae120f-371d5872-7941a05b",
        version=2,
        errcode=-1008,
        errmsg="download error",
        result=MediaCheckResult(suggest="risky", label=20001),
        detail=(
            MediaCheckDetail(strategy="content_model", errcode=0, suggest="review", label=20006, prob=90),
            MediaCheckDetail(strategy="keyword", errcode=0),
        ),
    ),
    _event(
        "wxa_media_check of version 1",
        {
            "isrisky": 1,
            "extra_info_json": '{"a":1}',
            "appid": "wx0123456789abcdef",
            "trace_id": "TRACE",
            "status_code": 4294966288,
        },
        WxaMediaCheckEvent,
        isrisky=1,
        extra_info_json='{"a":1}',
        appid="wx0123456789abcdef",
        trace_id="TRACE",
        status_code=4294966288,
    ),
)


def _expect(cls: type[Any], fields: Mapping[str, Any]) -> Any:
    """Return the model of *fields* by the naming rule and the annotations of *cls*; every field has an attribute."""
    hints = get_type_hints(cls)
    values = {}
    for name, value in fields.items():
        attribute = snake_case(name)
        if attribute not in hints or (name == "create_time" and issubclass(cls, Message)):
            attribute = OTHER_NAMES[name]
        values[attribute] = _convert(hints[attribute], value)
    return cls(**{attribute: value for attribute, value in values.items() if value is not None})


def _convert(hint: Any, value: Any) -> Any:
    kind, *_ = get_args(hint) or [hint]
    if str(hint).startswith("tuple"):
        return tuple(_convert(kind, one) for one in (value if isinstance(value, list) else [value]))
    if kind in (int, float):
        return None if value == "" else kind(value == "true" if value in ("true", "false") else value)
    if has(kind):
        return _expect(kind, value) if value else None
    if isinstance(value, Mapping):
        return value
    return str(value) if kind is str else value


def _named(name: str, fields: dict[str, Any]) -> Sample:
    event = name.split()[0]
    words = "".join(word[0].upper() + word[1:] for word in event.split("_"))
    cls = getattr(events, CLASSES.get(event, words.removesuffix("Event") + "Event"))
    model = _expect(cls, {**_COMMON, "Event": event, **fields})
    in_json = {key: each for value in fields.values() for key, each in value.items()} if event in FLAT else fields
    members = XML.get(name, _write_xml(fields))
    head = f"<MsgType><![CDATA[event]]></MsgType>\n  <Event><![CDATA[{event}]]></Event>"
    return _sample(name, head + members, {"MsgType": "event", "Event": event, **in_json}, model)


_COMMON = {"ToUserName": ACCOUNT, "FromUserName": USER, "CreateTime": CREATE_TIME, "MsgType": "event"}

EVENTS = (
    *_RELATION_EVENTS,
    *_MENU_EVENTS,
    *_JOB_EVENTS,
    *_CUSTOMER_SERVICE_EVENTS,
    *_SUBSCRIPTION_EVENTS,
    *_USER_INFO_EVENTS,
    *_CONTENT_CHECK_EVENTS,
    *(_named(name, fields) for name, fields in {**FIELDS, **PUSHES}.items()),
)

SAMPLES = (*MESSAGES, *EVENTS)
