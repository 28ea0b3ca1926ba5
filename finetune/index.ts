// Algorithms that begin with something: demonstrations, logged data, an old policy. By name; a new one is one
// file and one line.

import type { AnyAlgorithm } from "../agents/agent.ts";
import { act } from "./act.ts";
import { awac } from "./awac.ts";
import { behaviorCloning } from "./behaviorCloning.ts";
import { calql } from "./calql.ts";
import { cql } from "./cql.ts";
import { decorator } from "./decorator.ts";
import { diffusion } from "./diffusion.ts";
import { dppo } from "./dppo.ts";
import { edac, sacN } from "./edac.ts";
import { famo2o } from "./famo2o.ts";
import { famo2oCql } from "./famo2oCql.ts";
import { flow } from "./flow.ts";
import { iql } from "./iql.ts";
import { rebrac } from "./rebrac.ts";
import { reinflow } from "./reinflow.ts";
import { residual } from "./residual.ts";
import { resip } from "./resip.ts";
import { rlpd } from "./rlpd.ts";
import { ro2o } from "./ro2o.ts";
import { shortcut } from "./shortcut.ts";
import { spot } from "./spot.ts";
import { td3bc } from "./td3bc.ts";
import { uniO4 } from "./uniO4.ts";

/** What clones a dataset: `salle clone`. */
export const cloners: Readonly<Record<string, AnyAlgorithm>> = {
  act,
  diffusion,
  flow,
  mlp: behaviorCloning,
  shortcut,
};

export const finetuners: Readonly<Record<string, AnyAlgorithm>> = {
  dppo,
  reinflow,
  residual,
  decorator,
  resip,
  rlpd,
  td3bc,
  awac,
  cql,
  iql,
  calql,
  rebrac,
  sacN,
  edac,
  spot,
  famo2o,
  famo2oCql,
  ro2o,
  uniO4,
};
