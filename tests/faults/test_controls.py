"""What people said of alerts holds from the moment on at which the command line said so, whatever dies then."""

from tests.faults.receiver import Receiver
from tests.faults.rig import RED, Rig
from tests.servers import wait_until


def test_what_people_said_holds_after_a_kill_at_the_moment_of_its_success(tmp_path, nursery):
    with Receiver(tmp_path, "told") as told:
        rig = Rig(tmp_path, nursery, [told], names=["muted", "silenced", "free"])
        rig.start()

        def say(*words):
            """The command line beside the service, which is killed as soon as that says that it is done."""
            assert nursery.wait(nursery.run([*words, "--config", rig.config], rig.log)) == 0, rig.log.read_text()[
                -3000:
            ]
            assert rig.kill() == -9
            rig.start()

        say("maintenance", "add", "patches", "kpi=muted", "--cron", "* * * * *", "--for", "2h", "-m", "why")
        say("silence", "add", "kpi=silenced", "--for", "2h")
        for name in rig.names:
            assert rig.enter(name, RED)
        wait_until(told.messages, "the alert that nobody holds back", 30)
        (window,) = rig.json("/api/v1/maintenance")["items"]
        assert (window["id"], window["origin"], window["comment"]) == ("patches", "person", "why")
        say("ack", fingerprint(rig, "free")[:6], "--note", "mine")
        assert open_alerts(rig)["free"]["acknowledgement"]["note"] == "mine"
        assert (kpis(told), len(open_alerts(rig))) == ({"free"}, 3)

        say("silence", "expire", rig.json("/api/v1/silences")["items"][0]["id"])
        say("maintenance", "end", "patches")
        wait_until(lambda: kpis(told) == {"free", "muted", "silenced"}, "all three alerts", 60)
        trail = [event["kind"] for event in rig.json("/api/v1/events?limit=1000")["items"] if event["kind"] in SAID]
        assert trail[::-1] == SAID
        assert rig.stop() == 0


SAID = ["maintenance_opened", "silence_created", "alert_acknowledged", "silence_expired", "maintenance_ended"]


def open_alerts(rig):
    return {alert["labels"]["kpi"]: alert for alert in rig.json("/api/v1/alerts")["items"] if "kpi" in alert["labels"]}


def fingerprint(rig, kpi):
    return open_alerts(rig)[kpi]["fingerprint"]


def kpis(receiver):
    return {alert["labels"]["kpi"] for message in receiver.messages() for alert in message["body"]["alerts"]}
