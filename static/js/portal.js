// Comforts on top of pages that work without any of this: busy marks, focus, dialogs, one alert, shortcuts.
// htmx 4 names its events with colons; event.detail.ctx is the one object of a request from start to end.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const dialog = byId("dialog");
  const focusLost = () => !document.activeElement || document.activeElement === document.body;

  // --- Focus -------------------------------------------------------------------------------------------------------
  const focusOn = (element) => {
    if (!element) return;
    element.focus();
    if (document.activeElement !== element) {
      element.tabIndex = -1;
      element.focus();
    }
  };

  const hadFocus = new WeakSet();
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (!focusLost()) hadFocus.add(ctx);
  });

  // A swap may say where the focus goes. If it only took away what had the focus, the nearest heading gets it.
  const focusWanted = () => {
    // Behind an open dialog nothing can have the focus; it is given when the dialog closes.
    const wanted = document.querySelector(dialog.open ? "#dialog [data-focus]" : "#main [data-focus]");
    wanted?.removeAttribute("data-focus");
    focusOn(wanted);
    return Boolean(wanted);
  };
  const headingIn = (element) => element?.querySelector("h1, h2, h3");
  const restoreFocus = (ctx) => {
    if (!focusWanted() && hadFocus.has(ctx) && focusLost()) {
      const target = ctx.target?.isConnected ? ctx.target : null;
      focusOn(headingIn(target) ?? headingIn(target?.parentElement) ?? target ?? headingIn(byId("main")) ?? byId("main"));
    }
  };

  // --- Announcements -----------------------------------------------------------------------------------------------
  // Said a moment later, so that a fast typist hears the result and not every step.
  let announcing = 0;
  const announce = () => {
    const marked = [...document.querySelectorAll("[data-announce]")];
    if (!marked.length) return;
    const text = marked.map((element) => element.textContent.trim()).join(" ");
    marked.forEach((element) => element.removeAttribute("data-announce"));
    clearTimeout(announcing);
    announcing = setTimeout(() => { byId("status").textContent = text; }, 500);
  };

  // --- Busy --------------------------------------------------------------------------------------------------------
  // Set with the keystroke: htmx's own mark comes only after its delay. Cleared by the answer to the last keystroke.
  const edits = new WeakMap();
  const editOf = new WeakMap();
  const setBusy = (form, busy) => {
    document.querySelector(form.dataset.busyTarget)?.setAttribute("aria-busy", String(busy));
  };
  const edited = (event) => {
    const form = event.target.closest("form[data-busy-target]");
    if (!form || !form.hasAttribute("hx-get") || !form.checkValidity()) return;
    edits.set(form, (edits.get(form) ?? 0) + 1);
    setBusy(form, true);
  };
  document.addEventListener("input", edited);
  document.addEventListener("submit", edited);
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    editOf.set(ctx, edits.get(ctx.sourceElement));
  });

  // --- One alert for what went wrong on the way ---------------------------------------------------------------------
  let failed = "";
  const alertWith = (text, link) => {
    if (text === failed) return;
    failed = text;
    const box = document.createElement("div");
    const words = document.createElement("p");
    const close = document.createElement("button");
    box.className = "notice notice-danger";
    words.textContent = text;
    if (link) {
      const anchor = document.createElement("a");
      Object.assign(anchor, { href: link, target: "_blank", textContent: "Sign in (opens a new tab)" });
      words.append(" ", anchor);
    }
    Object.assign(close, { type: "button", className: "btn btn-sm btn-outline-secondary", textContent: "Dismiss this alert" });
    close.addEventListener("click", () => { clearAlert(); focusOn(byId("main")); });
    box.append(words, close);
    byId("alert").replaceChildren(box);
  };
  const clearAlert = () => {
    failed = "";
    byId("alert").replaceChildren();
  };
  const KEPT = "What you typed is still here. Try again in a moment.";
  // Answers that are pages of their own, not the part of this page that was asked for.
  const isErrorPage = (status) => status >= 500 || status === 403 || status === 404;

  // What refreshes itself in the background asks only while somebody looks, and fails without a word: the next try comes.
  const quiet = (ctx) => ctx?.sourceElement?.dataset?.quiet !== undefined;
  document.addEventListener("htmx:before:request", (event) => {
    if (quiet(event.detail.ctx) && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (quiet(ctx) && (!ctx.response.raw.ok || ctx.response.raw.redirected)) event.preventDefault();
  });

  // Signed out meanwhile: the answer is the sign-in page, which does not belong into a part of this one.
  document.addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    const login = document.body.dataset.loginUrl;
    if (quiet(event.detail.ctx) || !raw.redirected || !login || new URL(raw.url).pathname !== login) return;
    event.preventDefault();
    alertWith("You have been signed out. What you typed is still here: sign in again, then repeat the last step.", login);
  });
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    const { status } = ctx.response;
    if (!isErrorPage(status) || quiet(ctx)) return;
    // Error pages mark the sentence that says what happened.
    const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
    const said = page.querySelector("[data-alert]")?.textContent.trim();
    alertWith(`${said || `The portal could not answer (error ${status}).`} ${status < 500 ? "Nothing was changed." : KEPT}`);
  });
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && !ctx.response && !quiet(ctx)) alertWith(`The portal cannot be reached, or took too long to answer. ${KEPT}`);
  });

  // --- Dialogs -----------------------------------------------------------------------------------------------------
  dialog.addEventListener("close", () => byId("dialog-body").replaceChildren());
  // An answer may close the dialog by the header HX-Trigger: close-dialog.
  document.addEventListener("close-dialog", () => {
    dialog.close();
    // What opened the dialog may be gone; then the focus would still be in the closed dialog.
    if (!focusWanted() && (focusLost() || dialog.contains(document.activeElement))) focusOn(byId("main").querySelector("h1"));
  });
  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.closest("[data-close-dialog]")) {
      event.preventDefault();
      target.closest("dialog")?.close();
    } else if (target.closest("[data-opens-shortcuts]")) {
      byId("shortcuts").showModal();
    }
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  // --- Printing -----------------------------------------------------------------------------------------------------
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-print]")) print();
  });

  // --- After every answer -------------------------------------------------------------------------------------------
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (quiet(ctx)) return;
    if (!ctx.response || !isErrorPage(ctx.response.status)) clearAlert();
    if (ctx.target?.id === "dialog-body" && ctx.swap !== "none" && !dialog.open) dialog.showModal();
    restoreFocus(ctx);
    announce();
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    if (form.dataset?.busyTarget && editOf.get(ctx) === edits.get(form)) setBusy(form, false);
    release(ctx.request.form ?? form);
  });

  // --- One submit ---------------------------------------------------------------------------------------------------
  // The server refuses a repeated form too; this only spares the reader the refusal.
  const sent = new WeakSet();
  const FILE_AGAIN_MS = 2000;
  const submitButtons = (form) => [...form.elements].filter((element) => element.type === "submit");
  const release = (form) => {
    if (!(form instanceof HTMLFormElement) || !sent.delete(form)) return;
    submitButtons(form).forEach((button) => button.removeAttribute("aria-disabled"));
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (sent.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    sent.add(form);
    submitButtons(form).forEach((button) => button.setAttribute("aria-disabled", "true"));
    // A file leaves the page as it is: a moment later it can be asked for again.
    if (form.dataset.file !== undefined) setTimeout(release, FILE_AGAIN_MS, form);
  }, true);
  // A page that comes back from the browser's memory is usable again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.forms) {
      release(form);
      if (form.dataset.busyTarget) setBusy(form, false);
    }
  });

  // --- Sections edited side by side ---------------------------------------------------------------------------------
  // They are sent as one, so that nothing typed in the others is lost; the oldest version counts.
  document.addEventListener("submit", ({ target: form }) => {
    if (form.dataset.sentTogether === undefined) return;
    for (const other of document.querySelectorAll("form[data-sent-together]")) {
      if (other === form) continue;
      for (const field of [...other.elements]) {
        const mine = form.elements[field.name];
        if (field.name && !mine) field.setAttribute("form", form.id);
        else if (field.name === "version") mine.value = Math.min(mine.value, field.value);
        else if (field.name === "reason") mine.value = [...new Set([mine.value, field.value])].filter(Boolean).join("\n");
        else if (field.type === "checkbox") mine.checked ||= field.checked;
        else if (mine) mine.value ||= field.value;
      }
    }
  });

  // --- The queue ----------------------------------------------------------------------------------------------------
  // Keys act on the row that has the focus; j and k go from row to row. Returns whether the key meant something here.
  const queueKey = (key) => {
    const rows = [...document.querySelectorAll("[data-queue-row]")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    if (key === "u") {
      const undo = document.querySelector("[data-queue] [data-key=u]");
      undo?.click();
      return Boolean(undo);
    }
    if (key === "j" || key === "k") {
      const next = rows[key === "j" ? at + 1 : Math.max(at, 1) - 1];
      focusOn(next?.querySelector("h3 a"));
      return Boolean(next);
    }
    const row = rows[at];
    if (!row) return false;
    if (key === "x") {
      row.querySelector("[name=order]")?.click();
      return true;
    }
    const control = row.querySelector(`[data-key="${key}"]`);
    if (!control) return false;
    if (control.tagName === "DETAILS") {
      control.open = true;
      focusOn(control.querySelector("textarea"));
    } else {
      control.click();
    }
    return true;
  };
  // How many boxes of one name are ticked, beside the button that acts on them.
  const countTicked = () => {
    for (const counter of document.querySelectorAll("[data-count-of]")) {
      const ticked = document.querySelectorAll(`[name="${counter.dataset.countOf}"]:checked`).length;
      counter.textContent = ticked ? `(${ticked})` : "";
    }
  };
  document.addEventListener("change", countTicked);

  // --- Searching ----------------------------------------------------------------------------------------------------
  // The digits that a text becomes on the keypad, while it is typed; a * or # stays, anything else is no digit.
  const KEYPAD = ["", "", "abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"];
  const digitOf = (character) => {
    const digit = KEYPAD.findIndex((letters) => letters.includes(character.toLowerCase()));
    return digit > 0 ? digit : /[0-9*#]/.test(character) ? character : "";
  };
  const showKeypadDigits = (input) => {
    const letters = /[a-z]/i.test(input.value);
    byId(input.dataset.keypad).textContent = letters ? `On the keypad: ${[...input.value].map(digitOf).join("")}` : "";
  };
  document.addEventListener("input", ({ target }) => {
    if (target.dataset.keypad) showKeypadDigits(target);
  });
  document.querySelectorAll("[data-keypad]").forEach(showKeypadDigits);
  // Toll-free numbers have no place; the answer says whether only they are searched for.
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const places = document.querySelector("[data-places]");
    if (places && ctx.target?.id === "results") places.hidden = Boolean(ctx.target.querySelector("[data-tollfree-only]"));
  });

  // --- Folding ------------------------------------------------------------------------------------------------------
  // What lies beside the content on wide screens is folded where it would push it down, unless something is wrong in it.
  const wide = matchMedia("(min-width: 62rem)");
  const fold = () => {
    for (const details of document.querySelectorAll("[data-fold]")) {
      details.open = wide.matches || Boolean(details.querySelector(".field-error"));
    }
  };
  wide.addEventListener("change", fold);
  // Going back draws the whole page anew.
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target === document.body) fold();
  });
  fold();

  // --- Shortcuts ----------------------------------------------------------------------------------------------------
  const SWITCH = "shortcuts-off";
  const shortcutSwitch = document.querySelector("[data-shortcuts-switch]");
  shortcutSwitch.checked = !localStorage.getItem(SWITCH);
  shortcutSwitch.addEventListener("change", () => {
    if (shortcutSwitch.checked) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "1");
  });
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.key === "Escape") {
      const menu = target.closest?.("details[data-menu][open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !shortcutSwitch.checked) return;
    if (target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (queueKey(event.key)) {
      event.preventDefault();
    } else if (event.key === "?") {
      byId("shortcuts").showModal();
    } else if (event.key === "/") {
      const box = document.querySelector("[data-search-box]");
      const page = document.querySelector("[data-search-page]");
      if (!box && !page) return;
      event.preventDefault();
      if (box) focusOn(box);
      else location.assign(page.href);
    }
  });

  // Of two fields with autofocus a browser takes the first; what went wrong comes before the field to type in.
  focusWanted();
  announce();
})();
