// Where to go on after logging in: a page of this server that the address names, and never one of elsewhere.

export function nextPage(search) {
  const wanted = new URLSearchParams(search).get("next") ?? "/";
  // A browser reads "//host" and "/\host" as another host.
  const isOurs = /^\/(?![/\\])/.test(wanted) && !/[\u0000-\u001f]/.test(wanted) && !wanted.startsWith("/login");
  return isOurs ? wanted : "/";
}

export const loginPage = (page) => `/login?next=${encodeURIComponent(page)}`;
