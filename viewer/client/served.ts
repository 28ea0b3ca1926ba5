// The page that a viewer's server sends.

import "./page/serverHost.ts"; // first: the page's parts ask for their host
import "./main.ts";
