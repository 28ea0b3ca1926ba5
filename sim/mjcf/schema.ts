// What of MJCF is read, what is left out on purpose, and what is refused.
//
// Names from MuJoCo's XML reference. `ignored` attributes steer MuJoCo's own solver and drawing, which
// have no counterpart here: contact and limit softness (solref, solimp …), contact dimension, groups and
// colours of things that are not drawn, integrator settings.

import type { Support } from "../source.ts";

const orientation = "quat axisangle xyaxes zaxis euler";

export const support = {
  mujoco: { used: "model" },
  compiler: {
    used: "angle inertiafromgeom autolimits eulerseq settotalmass meshdir assetdir",
    ignored: "texturedir strippath discardvisual usethread alignfree saveinertial fitaabb conflict",
    neutral: {
      coordinate: "local",
      balanceinertia: "false",
      boundmass: "0",
      boundinertia: "0",
      inertiagrouprange: "0 5",
      fusestatic: "false",
    },
  },
  option: {
    used: "timestep gravity",
    ignored:
      "integrator cone jacobian solver iterations tolerance ls_iterations ls_tolerance noslip_iterations noslip_tolerance ccd_iterations ccd_tolerance sdf_iterations sdf_initpoints impratio apirate collision mpr_iterations mpr_tolerance sleep_tolerance magnetic o_margin o_solref o_solimp o_friction",
    neutral: { wind: "0 0 0", density: "0", viscosity: "0" },
  },
  flag: {
    used: "contact gravity",
    ignored:
      "override energy fwdinv invdiscrete multiccd island nativeccd eulerdamp midphase warmstart sensor refsafe autoreset sleep clampctrl",
    neutral: {
      constraint: "enable",
      equality: "enable",
      frictionloss: "enable",
      limit: "enable",
      passive: "enable",
      spring: "enable",
      damper: "enable",
      filterparent: "enable",
      actuation: "enable",
    },
  },
  worldbody: { used: "" },
  body: {
    used: `name childclass pos mocap gravcomp ${orientation}`,
    ignored: "user sleep",
  },
  inertial: { used: `pos mass diaginertia fullinertia ${orientation}` },
  freejoint: { used: "name", ignored: "group align" },
  joint: {
    used: "name class type pos axis range limited stiffness damping armature frictionloss springref ref actuatorfrcrange actuatorfrclimited",
    ignored: "group user margin solreflimit solimplimit solreffriction solimpfriction",
    neutral: { springdamper: "0 0", actuatorgravcomp: "false" },
  },
  geom: {
    used: `name class type contype conaffinity size fromto pos ${orientation} mass density friction rgba material mesh condim`,
    ignored: "group priority user solmix solref solimp margin gap fitscale",
    neutral: { shellinertia: "false", fluidshape: "none" },
  },
  site: {
    used: `name class type size fromto pos ${orientation} rgba`,
    ignored: "group material user",
  },
  actuator: {
    used: "name class joint gear ctrlrange ctrllimited forcerange forcelimited kp kv inheritrange gaintype biastype gainprm biasprm dyntype",
    ignored: "group user lengthrange nsample interp delay",
    neutral: {
      timeconst: "0",
      dampratio: "0",
      actlimited: "false auto",
      actearly: "false",
      actdim: "-1",
      damping: "0",
      armature: "0",
      dynprm: "1 0",
    },
  },
  sensor: {
    used: "name site",
    ignored: "user noise",
    neutral: { cutoff: "0", nsample: "0", delay: "0" },
  },
  exclude: { used: "body1 body2", ignored: "name" },
  key: { used: "name qpos", ignored: "time qvel act ctrl mpos mquat" },
  mesh: {
    used: "name class file scale",
    ignored: "content_type smoothnormal maxhullvert user material octree_maxdepth",
    neutral: { refpos: "0 0 0", refquat: "1 0 0 0", inertia: "legacy" },
  },
  material: {
    used: "name class rgba",
    ignored:
      "texture texrepeat texuniform emission specular shininess reflectance metallic roughness",
  },
} satisfies Record<string, Support>;

/** Top-level sections without a counterpart that change nothing about the robot. */
export const harmlessSections = ["visual", "statistic", "size", "custom"];

/** Parts of a body that are looked through, not simulated. */
export const harmlessParts = ["camera", "light"];

/** Elements whose defaults matter only to elements that are refused where they stand. */
export const otherDefaults =
  "camera light pair equality tendon general muscle cylinder intvelocity damper adhesion material".split(
    " ",
  );
