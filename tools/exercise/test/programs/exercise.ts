// `pnpm exercise` in another folder: its first argument.
import { main } from "../../src/main.ts";

const [node = "", script = "", root = "", ...words] = process.argv;
process.exitCode = await main([node, script, ...words], root);
