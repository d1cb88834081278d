# SPDX-License-Identifier: Apache-2.0
# Reads a record of rec_fixture.h (2 s) with the official MCAP reader and ROS 2 decoder.
import sys

from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

with open(sys.argv[1], "rb") as f:
    reader = make_reader(f, validate_crcs=True, decoder_factories=[DecoderFactory()])
    count = {}
    first = {}
    for schema, channel, message, ros in reader.iter_decoded_messages():
        count[channel.topic] = count.get(channel.topic, 0) + 1
        first.setdefault(channel.topic, ros)
    summary = reader.get_summary()
    want = {c.topic: summary.statistics.channel_message_counts[c.id] for c in summary.channels.values()}
    assert count == want, (count, want)
    assert count["/tf"] == 101 and count["/obs/joint_pos"] == 201, count
    tf = first["/tf"].transforms
    assert len(tf) == 30 and tf[0].child_frame_id == "pelvis" and tf[0].header.frame_id == "world"
    assert abs(tf[0].transform.translation.z - 0.902) < 1e-9, tf[0]
    assert first["/tf_static"].transforms[0].child_frame_id == "table"
    joints = first["/joint_states"]
    assert len(joints.name) == len(joints.position) == len(joints.effort) == 29
    assert first["/obs/joint_pos"].names[2] == "left_thigh"
    assert len(first["/obs/height_scan"].values) == 187 and first["/obs/height_scan"].names == []
    assert len(first["/contacts"].force) == 3 * len(first["/contacts"].body)
    assert len(first["/contact_forces"].markers[0].points) == 2 * len(first["/contacts"].body)
    kinds = {m.text for m in first["/scene"].markers}
    assert {"plane", "box", "capsule", "sphere", "cylinder", "ellipsoid"} <= kinds, kinds
    assert first["/score"].measures[3].name == "tilt" and first["/score"].measures[3].broken
    assert first["/events"].name == "start"
    assert [a.name for a in reader.iter_attachments()] == ["case.osc", "scene.xml"]
    assert [m.name for m in reader.iter_metadata()] == ["qiao.trial", "qiao.result"]
