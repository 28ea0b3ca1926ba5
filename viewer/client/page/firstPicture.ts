// First picture: what is seldom looked at first waits until the robot is seen.

const longestWait = 500; // ms

let tell: () => void = () => undefined;
const out = new Promise<void>((resolve) => {
  tell = resolve;
});

/** Resolves when the first robot is on the screen, or has taken too long. */
export function afterFirstPicture(): Promise<void> {
  return Promise.race([out, new Promise<void>((resolve) => setTimeout(resolve, longestWait))]);
}

/** Calls `next` when the picture that is drawn in this frame is out. */
export function whenPictureIsOut(next: () => void): void {
  requestAnimationFrame(() => {
    performance.mark("salle: first robot");
    tell();
    next();
  });
}
