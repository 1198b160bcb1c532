// Logging in: the token goes to the server once, which answers with a cookie that no script can read.

import { showRememberedTheme } from "./choices.js";
import { logIn } from "./api.js";
import { nextPage } from "./next-page.js";

const form = document.getElementById("login");
const input = document.getElementById("token");
const problem = document.getElementById("problem");
const button = form.querySelector("button");

showRememberedTheme();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  problem.hidden = true;
  try {
    await logIn(input.value.trim());
    location.replace(nextPage(location.search));
  } catch (error) {
    problem.textContent = error.status === 401 ? "This token is not in force." : error.message;
    problem.hidden = false;
    button.disabled = false;
    input.select();
  }
});
