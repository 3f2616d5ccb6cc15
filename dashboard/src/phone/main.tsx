import { render } from "preact";
import { fetchPageInfo } from "./page-info.js";
import { Phone, type PhoneStats } from "./phone.js";
import { App } from "./view/app.js";

declare global {
  interface Window {
    /** For tests and for the curious at the console. */
    phoneStats(): PhoneStats;
  }
}

const phone = new Phone();
window.phoneStats = () => phone.stats;
// Closing the page hangs up; a socket that only breaks would be a lost connection.
window.addEventListener("pagehide", () => phone.hangUp());

const info = await fetchPageInfo();
document.title = info.title;
render(<App phone={phone} info={info} />, document.querySelector("#app") as HTMLElement);
