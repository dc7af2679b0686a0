import { scenarios } from "testkit";

scenarios();
