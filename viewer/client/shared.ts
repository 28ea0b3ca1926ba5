// The page in a file of its own (viewer/share.ts).

import "./page/fileHost.ts"; // first: the page's parts ask for their host
import "./main.ts";
