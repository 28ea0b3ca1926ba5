// Loaded before a program by `node --import`: answers each message of the parent with the memory it has.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  process.on("message", () => {
    collect(); // what is left is held by somebody
    process.send?.(process.memoryUsage());
  });
  process.channel?.unref();
}
