// SPDX-License-Identifier: Apache-2.0
// schema.h - the ROS 2 message types of a record, by name and as text (encoding ros2msg).
#ifndef QI_REC_SCHEMA_H
#define QI_REC_SCHEMA_H

#include <stddef.h>

enum qi_schema {
    QI_SCHEMA_TF,
    QI_SCHEMA_JOINT,
    QI_SCHEMA_MARKERS,
    QI_SCHEMA_SIGNAL,
    QI_SCHEMA_CONTACTS,
    QI_SCHEMA_LOG,
    QI_SCHEMA_SCORE,
    QI_SCHEMA_COUNT,
};
const char *qi_schema_name(enum qi_schema s); // "tf2_msgs/msg/TFMessage"
// Its definition followed by those it uses, as MCAP wants it; the length that it has.
enum { QI_SCHEMA_TEXT_MAX = 8192 };
size_t qi_schema_write(enum qi_schema s, char text[QI_SCHEMA_TEXT_MAX]);

#endif
