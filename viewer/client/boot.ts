// What runs first: the physics starts to load in its worker before the page's own code has come.

import "./page/spareWorker.ts";

await import("./served.ts");
