// Episodes: what the last hundred came to, and the reward terms since the last log.

import type { VecEnvStep } from "../sim/vecEnv.ts";

const window = 100; // episodes, as in Stable-Baselines3

interface Ended {
  readonly episodeReturn: number;
  readonly episodeLength: number;
  readonly success: boolean;
}

/** Everything needed to go on; plain data. */
export interface EpisodesState {
  readonly recent: readonly Ended[];
  readonly numEpisodes: number;
  readonly numBroken: number;
  readonly terms: readonly number[];
  readonly numSteps: number;
}

export class Episodes {
  private readonly names: readonly string[];
  private recent: Ended[] = [];
  private numEpisodes = 0;
  private numBroken = 0;
  private readonly terms: Float64Array;
  private numSteps = 0;

  constructor(rewardTerms: readonly string[]) {
    this.names = rewardTerms;
    this.terms = new Float64Array(rewardTerms.length);
  }

  add({ terms, finished, rewards }: VecEnvStep): void {
    const numTerms = this.terms.length;
    for (let at = 0; at < terms.length; at++) this.terms[at % numTerms]! += terms[at]!;
    this.numSteps += rewards.length;
    for (const { broken, episodeReturn, episodeLength, success } of finished) {
      if (broken) this.numBroken++;
      else {
        this.numEpisodes++;
        this.recent.push({ episodeReturn, episodeLength, success });
      }
    }
    this.recent = this.recent.slice(-window);
  }

  /** Under Stable-Baselines3's names; the terms are means since the last call. */
  metrics(): Record<string, number> {
    const mean = (of: (ended: Ended) => number) =>
      this.recent.reduce((sum, ended) => sum + of(ended), 0) / this.recent.length;
    const episodes = this.recent.length > 0 && {
      "rollout/ep_rew_mean": mean(({ episodeReturn }) => episodeReturn),
      "rollout/ep_len_mean": mean(({ episodeLength }) => episodeLength),
      "rollout/success_rate": mean(({ success }) => Number(success)),
    };
    const terms = this.names.map((name, i) => [`reward/${name}`, this.terms[i]! / this.numSteps]);
    this.terms.fill(0);
    this.numSteps = 0;
    return {
      ...episodes,
      ...Object.fromEntries(terms),
      "rollout/episodes": this.numEpisodes,
      "rollout/broken": this.numBroken,
    };
  }

  state(): EpisodesState {
    const { recent, numEpisodes, numBroken, numSteps } = this;
    return { recent, numEpisodes, numBroken, numSteps, terms: Array.from(this.terms) };
  }

  restore({ recent, numEpisodes, numBroken, numSteps, terms }: EpisodesState): void {
    this.recent = [...recent];
    this.numEpisodes = numEpisodes;
    this.numBroken = numBroken;
    this.numSteps = numSteps;
    this.terms.set(terms);
  }
}
