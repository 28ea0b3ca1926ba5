// Looks: the colours and lights of the hall, for light and dark surroundings.

/** Which surroundings the page has. */
export type Theme = "light" | "dark";

/** Colours are sRGB, as 0xrrggbb; intensities are three.js' own. */
export interface Look {
  readonly zenith: number;
  readonly horizon: number;
  readonly ground: number;
  /** The other squares of the checker. */
  readonly groundOdd: number;
  readonly line: number;
  readonly sun: number;
  readonly sunIntensity: number;
  readonly skyLight: number;
  readonly groundLight: number;
  readonly skyIntensity: number;
  readonly mark: number;
  readonly contact: number;
  readonly trail: number;
}

export const looks: Readonly<Record<Theme, Look>> = {
  light: {
    zenith: 0xc9d8e6,
    horizon: 0xeef1f3,
    ground: 0xdfe2e4,
    groundOdd: 0xd3d7da,
    line: 0xb4bac0,
    sun: 0xfff4e4,
    sunIntensity: 2.1,
    skyLight: 0xf4f8ff,
    groundLight: 0xb9b3a8,
    skyIntensity: 1.9,
    mark: 0xd8503a,
    contact: 0xc9381f,
    trail: 0x2f6db3,
  },
  dark: {
    zenith: 0x0d1218,
    horizon: 0x1b222b,
    ground: 0x2b333d,
    groundOdd: 0x252d36,
    line: 0x45505d,
    sun: 0xfff8f0,
    sunIntensity: 2.6,
    skyLight: 0xa9bdd6,
    groundLight: 0x353b44,
    skyIntensity: 1.9,
    mark: 0xff7a5c,
    contact: 0xff6a4a,
    trail: 0x6fb1f2,
  },
};
