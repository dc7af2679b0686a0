// Checks GitHub's workflows with actionlint, where it is installed. It is a Go program that npm has no package of.
import { spawnSync } from "node:child_process";

const { error, status } = spawnSync("actionlint", { stdio: "inherit" });
if (error && "code" in error && error.code === "ENOENT")
  console.log(
    "actionlint is not installed, so the workflows are not checked. CI checks them. To install it:\n" +
      "go install github.com/rhysd/actionlint/cmd/actionlint@latest",
  );
else if (error) throw error;
else process.exitCode = status ?? 1;
