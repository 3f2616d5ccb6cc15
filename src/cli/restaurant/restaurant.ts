export { restaurantGreeting, restaurantPrompt, restaurantScript } from "./script.js";
export { type BookTableResult, restaurantTools } from "./tools.js";
