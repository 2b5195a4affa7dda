// What an administrator does in Google's own consoles, by the sandbox's control API; and what may go wrong there.
export class Google {
  constructor(url) { this.url = url; }

  async ask(method, path, body) {
    const given = typeof body === "string" ? body : body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(`${this.url}/_sandbox${path}`, { method, body: given, headers: typeof body === "string" ? {} : { "Content-Type": "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  mailbox(email) { return this.ask("POST", "/accounts", { email }); }
  serviceAccount(email) { return this.ask("POST", "/service-accounts", { email, project: email.split("@")[1].split(".")[0] }); }
  upload(email, pem, settling = 0) { return this.ask("POST", `/service-accounts/${email}/keys?settling=${settling}`, pem); }
  delegate(email, ...scopes) { return this.ask("PUT", `/service-accounts/${email}/delegation`, { scopes }); }
  revoke(email) { return this.ask("DELETE", `/accounts/${email}/tokens`); }
  fault(match, fault, times = 1) { return this.ask("POST", "/faults", { match, fault, times }); }
  messages(mailbox) { return this.ask("GET", `/messages?mailbox=${mailbox}`); }

  refuse(mailbox, status, reason, message) {
    return this.fault({ path: "/messages/send", mailbox }, { status, headers: {}, body: { error: { code: status, message, errors: [{ reason, message }] } } });
  }

  async wrongClock(email) {
    const path = `/service_accounts/v1/metadata/x509/${email}`;
    const body = await (await fetch(this.url + path)).json();
    const date = new Date(Date.now() + 12 * 60_000).toUTCString();
    return this.fault({ path }, { status: 200, headers: { Date: date }, body });
  }
}
