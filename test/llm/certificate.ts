export { CERTIFICATE } from "../../src/testing/anthropic/certificate.js";
