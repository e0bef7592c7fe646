// A browser without scripts: cookies, redirects, forms. One for a person at a device.
const MOST_REDIRECTS = 10;
const MOST_PAGES = 8;
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#x2f': '/' };

const text = (markup) => markup.replace(/&(amp|lt|gt|quot|#x27|#x2f);/g, (_, name) => ENTITIES[name]);

function attributes(tag) {
  const found = {};
  for (const [, name, value] of tag.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) found[name] = text(value ?? '');
  return found;
}

// Every form of a page: where it goes, what it carries, and its buttons.
function forms(page) {
  return [...page.matchAll(/<form ([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head, inside]) => {
    const inputs = [...inside.matchAll(/<input ([^>]*)>/g)].map(([, tag]) => attributes(tag));
    const buttons = [...inside.matchAll(/<button ([^>]*)>/g)].map(([, tag]) => attributes(tag));
    return { ...attributes(head), inputs, buttons };
  });
}

export class Browser {
  #cookies = new Map();

  // Follows redirects to a page, or to a URL that begins with one of `stops`, which is not asked for.
  async go(url, stops, form) {
    for (let hops = 0; hops < MOST_REDIRECTS; hops += 1) {
      if (stops.some((stop) => String(url).startsWith(stop))) return { left: new URL(url), form };
      const response = await fetch(url, {
        method: form ? 'POST' : 'GET',
        body: form && new URLSearchParams(form),
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; '), accept: 'text/html' },
      });
      this.#keep(response.headers.getSetCookie());
      const page = await response.text();
      const location = response.headers.get('location');
      if (!location) return { url: new URL(url), status: response.status, page, forms: forms(page) };
      if (response.status !== 303 && form) throw new Error(`a form is answered with ${response.status}`);
      url = new URL(location, url);
      form = undefined;
    }
    throw new Error(`too many redirects, the last to ${url}`);
  }

  #keep(cookies) {
    for (const cookie of cookies) {
      const [pair, ...rest] = cookie.split('; ');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (rest.some((part) => part.toLowerCase() === 'max-age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  // Sends the first form of a page, with a button where it has a choice.
  submit(page, stops, fields, button) {
    const [form] = page.forms;
    const carried = form.inputs.filter((input) => input.type === 'hidden').map((input) => [input.name, input.value]);
    const pressed = button ? [[button.name, button.value]] : [];
    const all = Object.fromEntries([...carried, ...Object.entries(fields), ...pressed]);
    return this.go(new URL(form.action, page.url), stops, all);
  }

  // Goes to `url` and does what the pages ask for, with one decision on everything, until the URL begins with one of
  // `stops`. Returns that URL, the form that was to be sent there, if any, and the titles of the pages on the way.
  async pass(url, stops, person, decision = 'allow') {
    const seen = [];
    let answer = await this.go(url, stops);
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      if (answer.left) return { url: answer.left, form: answer.form, seen };
      const title = answer.page.match(/<title>([^<]*)/)?.[1] ?? '';
      seen.push(title);
      const form = answer.forms?.[0];
      if (!form) return { url: answer.url, seen, page: answer.page, status: answer.status };
      const has = (name) => form.inputs.some((input) => input.name === name);
      const decided = form.buttons.find((button) => button.name === 'decision' && button.value === decision);
      if (has('password')) answer = await this.submit(answer, stops, person);
      else if (has('user_code')) {
        const { value } = form.inputs.find((input) => input.name === 'user_code');
        answer = await this.submit(answer, stops, { user_code: value });
      }
      else answer = await this.submit(answer, stops, {}, decided);
    }
    throw new Error(`too many pages: ${seen.join(', ')}: ${answer.page}`);
  }
}
