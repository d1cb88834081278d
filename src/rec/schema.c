// SPDX-License-Identifier: Apache-2.0
// schema.c - ROS 2 message definitions.
// source   ROS 2 Humble: common_interfaces, geometry2, rcl_interfaces (names and types of fields)
#include "rec/schema.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *fields;
} types[] = {
    {"builtin_interfaces/Time", "int32 sec\nuint32 nanosec\n"},
    {"builtin_interfaces/Duration", "int32 sec\nuint32 nanosec\n"},
    {"std_msgs/Header", "builtin_interfaces/Time stamp\nstring frame_id\n"},
    {"std_msgs/ColorRGBA", "float32 r\nfloat32 g\nfloat32 b\nfloat32 a\n"},
    {"geometry_msgs/Vector3", "float64 x\nfloat64 y\nfloat64 z\n"},
    {"geometry_msgs/Point", "float64 x\nfloat64 y\nfloat64 z\n"},
    {"geometry_msgs/Quaternion", "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n"},
    {"geometry_msgs/Pose", "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n"},
    {"geometry_msgs/Transform",
     "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n"},
    {"geometry_msgs/TransformStamped",
     "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform\n"},
    {"tf2_msgs/TFMessage", "geometry_msgs/TransformStamped[] transforms\n"},
    {"sensor_msgs/JointState", "std_msgs/Header header\nstring[] name\nfloat64[] position\n"
                               "float64[] velocity\nfloat64[] effort\n"},
    {"sensor_msgs/CompressedImage", "std_msgs/Header header\nstring format\nuint8[] data\n"},
    {"visualization_msgs/UVCoordinate", "float32 u\nfloat32 v\n"},
    {"visualization_msgs/MeshFile", "string filename\nuint8[] data\n"},
    {"visualization_msgs/Marker",
     "std_msgs/Header header\nstring ns\nint32 id\nint32 type\nint32 action\n"
     "geometry_msgs/Pose pose\ngeometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\n"
     "builtin_interfaces/Duration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\n"
     "std_msgs/ColorRGBA[] colors\nstring texture_resource\n"
     "sensor_msgs/CompressedImage texture\nvisualization_msgs/UVCoordinate[] uv_coordinates\n"
     "string text\nstring mesh_resource\nvisualization_msgs/MeshFile mesh_file\n"
     "bool mesh_use_embedded_materials\n"},
    {"visualization_msgs/MarkerArray", "visualization_msgs/Marker[] markers\n"},
    {"rcl_interfaces/Log", "builtin_interfaces/Time stamp\nuint8 level\nstring name\nstring msg\n"
                           "string file\nstring function\nuint32 line\n"},
    {"qiao_msgs/Signal", "# what a sensor said or a drive was told\n"
                         "builtin_interfaces/Time stamp\nstring[] names\nfloat64[] values\n"},
    {"qiao_msgs/Contacts",
     "# indices into the channel's metadata 'bodies'; force on body (the one that moves), N; x y z "
     "in a row\n"
     "builtin_interfaces/Time stamp\nint32[] body\nint32[] other\nfloat64[] position\n"
     "float64[] force\n"},
    {"qiao_msgs/Measure", "string name\nstring unit\nstring kind\nfloat64 value\nfloat64 limit\n"
                          "float64 weight\nbool broken\n"},
    {"qiao_msgs/Score", "builtin_interfaces/Time stamp\nstring verdict\nstring reason\n"
                        "float64 total\nfloat64 completion\nfloat64 time\n"
                        "qiao_msgs/Measure[] measures\n"},
};
enum { NTYPE = sizeof types / sizeof types[0] };

static const char *const root[QI_SCHEMA_COUNT] = {
    [QI_SCHEMA_TF] = "tf2_msgs/TFMessage",
    [QI_SCHEMA_JOINT] = "sensor_msgs/JointState",
    [QI_SCHEMA_MARKERS] = "visualization_msgs/MarkerArray",
    [QI_SCHEMA_SIGNAL] = "qiao_msgs/Signal",
    [QI_SCHEMA_CONTACTS] = "qiao_msgs/Contacts",
    [QI_SCHEMA_LOG] = "rcl_interfaces/Log",
    [QI_SCHEMA_SCORE] = "qiao_msgs/Score",
};

const char *qi_schema_name(enum qi_schema s) {
    static const char *const name[QI_SCHEMA_COUNT] = {
        [QI_SCHEMA_TF] = "tf2_msgs/msg/TFMessage",
        [QI_SCHEMA_JOINT] = "sensor_msgs/msg/JointState",
        [QI_SCHEMA_MARKERS] = "visualization_msgs/msg/MarkerArray",
        [QI_SCHEMA_SIGNAL] = "qiao_msgs/msg/Signal",
        [QI_SCHEMA_CONTACTS] = "qiao_msgs/msg/Contacts",
        [QI_SCHEMA_LOG] = "rcl_interfaces/msg/Log",
        [QI_SCHEMA_SCORE] = "qiao_msgs/msg/Score",
    };
    return name[s];
}

static int type_find(const char *name, size_t n) {
    for (int i = 0; i < NTYPE; i++)
        if (strlen(types[i].name) == n && !memcmp(types[i].name, name, n)) return i;
    return -1;
}

// Marks the types that the fields of type i name, and theirs.
static void mark_used(int i, char used[NTYPE]) {
    used[i] = 1;
    for (const char *line = types[i].fields; *line; line = strchr(line, '\n') + 1) {
        int k = type_find(line, strcspn(line, "[ \n"));
        if (k >= 0 && !used[k]) mark_used(k, used);
    }
}

size_t qi_schema_write(enum qi_schema s, char text[QI_SCHEMA_TEXT_MAX]) {
    char used[NTYPE] = {0};
    int top = type_find(root[s], strlen(root[s]));
    mark_used(top, used);
    size_t n = (size_t)snprintf(text, QI_SCHEMA_TEXT_MAX, "%s", types[top].fields);
    for (int i = 0; i < NTYPE; i++)
        if (used[i] && i != top)
            n += (size_t)snprintf(text + n, QI_SCHEMA_TEXT_MAX - n, "%.80s\nMSG: %s\n%s",
                                  "============================================================"
                                  "====================",
                                  types[i].name, types[i].fields);
    return n;
}
