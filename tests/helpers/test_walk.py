from tests.helpers.walk import take_walk


class TestTakeWalk:
    def test_finds_one_road_from_the_adapter_over_the_handler_to_the_response(self):
        walk = take_walk()

        names = [line.split()[0] for line in walk.lines]
        road = [
            "push_view.<locals>.view",
            "PushEndpoint.handle",
            "open_push",
            "PushDelivery.answer",
            "Work.run",
            "Handling.handle",
            "Router.flow",
            "seal_reply",
        ]
        assert [name for name in names if name in road] == road
        assert walk.count == len([name for name in names if not name.startswith("(")])
