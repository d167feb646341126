from __future__ import annotations

from xsession import CrossAccountSession
from xsession.testing import EventCapture, LocalAWS, Story


def test_the_story_can_be_told(local_aws: LocalAWS, captured_events: EventCapture) -> None:
    """With pytest's fixtures."""
    story = Story.told_by(local_aws)
    xs = CrossAccountSession({"vegeta": story.vegeta_role}, session=story.session, hooks=[captured_events])
    assert (
        len(xs.get_client("ec2", "vegeta").describe_instances(InstanceIds=list(story.instances))["Reservations"]) == 1
    )
    assert captured_events.events
    xs.close()
