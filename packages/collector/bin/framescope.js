#!/usr/bin/env node
import { main } from '../out/cli.js';

await main();
