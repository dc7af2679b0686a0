// `pnpm exercise` in another folder: its first argument.
import { main } from "../../src/main.ts";

const [root = "", ...words] = process.argv.slice(2);
process.exitCode = await main(words, root);
