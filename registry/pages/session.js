// Who has logged in, beside the choices of each page, and how to log out; nothing where nobody is asked.

import { logOut, who } from "./api.js";
import { loginPage } from "./next-page.js";

const MAY = { read: "look", write: "look and write", admin: "do everything" };

function show({ required, name, role }) {
  if (!required) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Log out";
  button.title = `${name} may ${MAY[role]}`;
  button.addEventListener("click", async () => {
    await logOut();
    location.replace(loginPage("/"));
  });
  document.querySelector(".controls").append(button);
}

// That the server does not answer, the page itself says.
who().then(show, () => {});
