#!/usr/bin/env node
console.log("salle");
