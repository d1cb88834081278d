// SPDX-License-Identifier: Apache-2.0
// lanes_features.h - one small model for each feature of engine lanes.
#ifndef QIAO_TEST_LANES_FEATURES_H
#define QIAO_TEST_LANES_FEATURES_H

typedef struct lanes_feature {
    const char *name, *xml;
    double qacc, rollout; // agreement asked: one step, 100 steps; 0: as the issue says
} lanes_feature;

#define WORLD(option, body, rest) \
    "<mujoco>" option "<worldbody>" body "</worldbody>" rest "</mujoco>"
#define ARM(joint1, joint2)                                                                \
    "<body pos='0 0 1'><joint name='a' axis='0 1 0' " joint1 "/>"                          \
    "<geom type='capsule' fromto='0 0 0 .3 0 0' size='.03' contype='0' conaffinity='0'/>"  \
    "<body pos='.3 0 0'><joint name='b' axis='0 0 1' " joint2 "/>"                         \
    "<geom type='capsule' fromto='0 0 0 .2 0 .1' size='.02' contype='0' conaffinity='0'/>" \
    "<site name='tip' pos='.2 0 .1'/><site name='end' pos='.1 0 0'/></body></body>"
#define FLOOR       "<geom name='floor' type='plane' size='5 5 1' "
#define FREE(geoms) "<body pos='0 0 .12'><freejoint/>" geoms "</body>"
#define BALLS(more)                                                  \
    FREE("<geom type='sphere' size='.1' pos='.1 0 0' " more "/>"     \
         "<geom type='sphere' size='.08' pos='-.1 .05 0' " more "/>" \
         "<geom type='sphere' size='.09' pos='0 -.12 .02' " more "/>")
#define CONE(cone, dim)                                                                        \
    WORLD("<option cone='" cone "' impratio='3'/>",                                            \
          FLOOR "condim='" dim                                                                 \
                "' friction='.3 .005 .002'/>" BALLS("condim='" dim "' friction='.7 .02 .01'"), \
          "")

static const lanes_feature lanes_features[] = {
    {"hinge and slide with armature, damping",
     WORLD("", ARM("armature='.1' damping='.5'", "type='slide' armature='.02' damping='1'"), ""), 0,
     0},
    {"eulerdamp off",
     WORLD("<option><flag eulerdamp='disable'/></option>", ARM("damping='.5'", "damping='.2'"), ""),
     0, 0},
    {"spring, springref", WORLD("", ARM("stiffness='30' springref='20'", "stiffness='5'"), ""), 0,
     0},
    {"friction loss", WORLD("", ARM("frictionloss='.4'", "frictionloss='.05'"), ""), 0, 0},
    {"joint limits",
     WORLD("<compiler angle='radian'/>",
           ARM("range='-.2 .3' limited='true' margin='.05'",
               "range='-.1 .1' limited='true' solreflimit='-3000 -20'"),
           ""),
     0, 0},
    {"ball joint and free joint",
     WORLD("",
           "<body pos='0 0 2'><freejoint/><geom size='.1'/><body pos='.2 0 0'><joint type='ball' "
           "damping='.01'/><geom type='box' size='.1 .02 .05' pos='.1 0 .05'/></body></body>",
           ""),
     0, 0},
    {"springs of ball and free joints",
     WORLD("",
           "<body pos='0 0 2'><joint type='free' stiffness='20'/><geom size='.1'/><body pos='.2 0 "
           "0'><joint type='ball' stiffness='3' damping='.01'/><geom type='box' size='.1 .02 .05' "
           "pos='.1 0 .05'/></body></body>",
           ""),
     0, 0},
    {"limit of a ball joint",
     WORLD("<compiler angle='radian'/>",
           "<body pos='0 0 2'><joint type='ball' limited='true' range='0 .2' margin='.05' "
           "damping='.05'/><geom type='box' size='.1 .02 .05' pos='.1 0 .05'/><body pos='.2 0 0'>"
           "<joint type='ball' limited='true' range='0 .1'/><geom size='.05' pos='.1 .1 0'/>"
           "</body></body>",
           ""),
     0, 0},
    {"gravity compensation",
     WORLD("",
           "<body pos='0 0 1' gravcomp='.6'><joint axis='0 1 0'/><geom size='.1' pos='.2 0 0'/>"
           "<body pos='.3 0 0' gravcomp='1'><joint axis='0 0 1' damping='.1'/><geom type='box' "
           "size='.1 .02 .05' pos='.1 0 .05'/></body></body>",
           ""),
     0, 0},
    {"motor with gear, control and force limits",
     WORLD(
         "", ARM("", ""),
         "<actuator><motor joint='a' gear='5' ctrlrange='-.3 .3' "
         "ctrllimited='true'/><motor joint='b' gear='-3' forcerange='-.4 .4' forcelimited='true'/>"
         "</actuator>"),
     0, 0},
    {"position, velocity and general actuators",
     WORLD("", ARM("armature='.01'", "armature='.01'"),
           "<actuator><position joint='a' kp='20' kv='1'/><velocity joint='b' kv='.5'/>"
           "<general joint='b' gaintype='affine' gainprm='2 .3 -.1' biastype='affine' "
           "biasprm='.1 -4 -.2'/></actuator>"),
     0, 0},
    {"force limit of a joint",
     WORLD("", ARM("actuatorfrcrange='-.5 .5' actuatorfrclimited='true'", ""),
           "<actuator><motor joint='a' gear='9'/><position joint='b' kp='20'/></actuator>"),
     0, 0},
    {"fixed tendon: limits, friction, spring, damping, actuator",
     WORLD(
         "<compiler angle='radian'/>", ARM("armature='.01'", "armature='.01'"),
         "<tendon><fixed name='t' range='-.1 .2' limited='true' frictionloss='.1' stiffness='8' "
         "damping='.3' springlength='.05'><joint joint='a' coef='.5'/><joint joint='b' coef='-.7'/>"
         "</fixed></tendon><actuator><general tendon='t' gainprm='3' biastype='affine' "
         "biasprm='0 -5 -.5'/></actuator>"),
     0, 0},
    {"implicitfast",
     WORLD("<option integrator='implicitfast'/>", ARM("damping='.4'", "armature='.01'"),
           "<tendon><fixed name='t' damping='.2'><joint joint='a' coef='1'/><joint joint='b' "
           "coef='.4'/></fixed></tendon><actuator><position joint='b' kp='10' kv='2'/>"
           "<general tendon='t' gainprm='3' biastype='affine' biasprm='0 -5 -.5'/></actuator>"),
     0, 0},
    {"implicitfast, free bodies alone",
     WORLD("<option integrator='implicitfast'/>",
           "<body pos='0 0 5'><joint type='free' damping='.02'/><geom type='box' size='.1 .05 .02' "
           "pos='.03 .02 .01' euler='20 30 40'/></body><body pos='1 0 5' euler='10 20 5'>"
           "<freejoint/><geom type='capsule' size='.03 .2'/></body>",
           ""),
     0, 0},
    {"RK4", WORLD("<option integrator='RK4'/>", ARM("damping='.1'", "frictionloss='.02'"), ""), 0,
     0},
    {"pyramidal, condim 1", CONE("pyramidal", "1"), 0, 0},
    {"pyramidal, condim 3", CONE("pyramidal", "3"), 0, 0},
    {"pyramidal, condim 4", CONE("pyramidal", "4"), 0, 0},
    {"pyramidal, condim 6", CONE("pyramidal", "6"), 0, 0},
    {"elliptic, condim 1", CONE("elliptic", "1"), 0, 0},
    {"elliptic, condim 3", CONE("elliptic", "3"), 0, 0},
    {"elliptic, condim 4", CONE("elliptic", "4"), 0, 0},
    {"elliptic, condim 6", CONE("elliptic", "6"), 0, 0},
    {"solref direct, solimp with power and midpoint",
     WORLD("", FLOOR "/>" BALLS("solref='-2000 -50' solimp='.5 .95 .02 .3 3' priority='1'"), ""), 0,
     0},
    {"solimp flat and linear",
     WORLD("", FLOOR "solimp='.8 .8 .01 .5 1'/>" BALLS("solimp='.7 .9 .01 .5 1' solmix='3'"), ""),
     0, 0},
    {"margin, gap, priority",
     WORLD("",
           FLOOR "margin='.02' gap='.005' friction='.3 .01 .001'/>" BALLS(
               "margin='.01' gap='.002' friction='.9 .01 .001' priority='2'"),
           ""),
     0, 0},
    {"explicit pair",
     WORLD("<option cone='elliptic'/>", FLOOR "/>" FREE("<geom name='s' size='.1'/>"),
           "<contact><pair geom1='floor' geom2='s' condim='4' friction='.5 .4 .01 .001 .001' "
           "margin='.01' solreffriction='.03 1'/></contact>"),
     0, 0},
    {"two free bodies and the ground",
     WORLD("",
           FLOOR "/>"
                 "<body pos='0 0 .1'><freejoint/><geom size='.1'/></body>"
                 "<body pos='.02 .01 .28'><freejoint/><geom type='box' size='.1 .1 .08'/></body>",
           ""),
     0, 1e-4},
    {"contact between branches, exclude, parent filter",
     WORLD("",
           "<body pos='0 0 1'><joint type='slide' axis='0 0 1'/><geom name='g' size='.05'/>"
           "<body pos='.1 0 0'><joint axis='0 1 0'/><geom type='capsule' fromto='0 0 0 .2 0 0' "
           "size='.03'/>"
           "<body name='shin' pos='.2 0 0'><joint axis='0 1 0'/><geom type='capsule' fromto='0 0 0 "
           "0 0 -.2' "
           "size='.03'/>"
           "</body></body><body name='x' pos='-.02 0 -.1'><joint axis='0 1 0'/>"
           "<geom type='capsule' fromto='0 0 0 .25 0 -.08' size='.03'/></body></body>",
           "<contact><exclude body1='shin' body2='x'/></contact>"),
     0, 1e-4},
    {"connect",
     WORLD("",
           ARM("damping='.1'",
               "damping='.1'") "<body name='w' pos='.5 0 1.1'><freejoint/><site name='ws' pos='.02 "
                               "0 0'/>"
                               "<geom size='.05' contype='0' conaffinity='0'/></body>",
           "<equality><connect site1='tip' site2='ws'/></equality>"),
     0, 0},
    {"weld",
     WORLD("",
           "<body name='u' pos='0 0 1'><joint axis='0 1 0'/><geom type='box' size='.1 .05 .02' "
           "contype='0'/></body><body name='w' pos='.3 0 1.1'><freejoint/><geom size='.05' "
           "conaffinity='0'/></body>",
           "<equality><weld body1='u' body2='w' anchor='.05 0 0' torquescale='.7' solref='.04 1'/>"
           "</equality>"),
     0, 0},
    {"joint equality",
     WORLD("", ARM("damping='.1'", "damping='.1'"),
           "<equality><joint joint1='a' joint2='b' polycoef='.05 .7 .3 -.1 .2'/></equality>"),
     0, 0},
    {"box, capsule, cylinder, ellipsoid on a plane",
     WORLD("",
           FLOOR
           "/><body pos='0 0 .1'><freejoint/><geom type='box' size='.1 .08 .09'/></body>"
           "<body pos='.5 0 .1'><freejoint/><geom type='capsule' size='.08 .1'/></body>"
           "<body pos='1 0 .1'><freejoint/><geom type='cylinder' size='.1 .08'/></body>"
           "<body pos='1.5 0 .1'><freejoint/><geom type='ellipsoid' size='.1 .08 .12'/></body>",
           ""),
     0, 1e-4},
};
enum { LANES_NFEATURE = sizeof lanes_features / sizeof *lanes_features };

#endif
