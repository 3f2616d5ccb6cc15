export { SpokenWords } from "./spoken-words.js";
export { socketPair } from "./socket-pair.js";
export { type TestAnswer, TestLLM, type TestLLMOptions } from "./test-llm.js";
export { TestPhone, type TestPhoneOptions } from "./test-phone.js";
export { TestSTT, TestTTS, type TestTTSOptions, TestVAD } from "./test-speech.js";
