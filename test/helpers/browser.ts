import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import type {Readable, Writable} from 'node:stream'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: {readonly message: string}
  readonly sessionId?: string
}

export interface View {
  readonly width: number
  readonly height: number
  readonly scheme: 'light' | 'dark'
}

/** A real browser without a window, spoken to over a pipe by the DevTools protocol. Call `close` when done. */
export class Browser {
  readonly #child
  readonly #profile
  readonly #to: Writable
  readonly #waiting = new Map<
    number,
    {resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void}
  >()
  readonly #listeners = new Set<(message: Message) => void>()
  #last = 0

  constructor(program: string) {
    this.#profile = mkdtempSync(path.join(tmpdir(), 'transship-browser-'))
    const options = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
    ]
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    this.#child = spawn(program, [...options, ...quiet, `--user-data-dir=${this.#profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const [, , , to, from] = this.#child.stdio
    this.#to = to as Writable
    this.#to.on('error', () => undefined)
    let rest = ''
    ;(from as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\0')
      rest = messages.pop() ?? ''
      for (const message of messages) this.#receive(JSON.parse(message) as Message)
    })
    this.#child.once('exit', () => {
      for (const {reject} of this.#waiting.values()) reject(new Error('the browser ended'))
    })
  }

  #receive(message: Message): void {
    for (const listener of this.#listeners) listener(message)
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id)
    if (message.id === undefined || waiting === undefined) return
    this.#waiting.delete(message.id)
    if (message.error === undefined) waiting.resolve(message.result ?? {})
    else waiting.reject(new Error(message.error.message))
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject})
      this.#to.write(`${JSON.stringify({id, method, params, sessionId})}\0`)
    })
  }

  /** Hears every message of a page until the function that it gives is called. */
  listen(sessionId: string, listener: (method: string, params: Record<string, unknown>) => void): () => void {
    const hear = (message: Message) => {
      if (message.sessionId === sessionId && message.method !== undefined)
        listener(message.method, message.params ?? {})
    }
    this.#listeners.add(hear)
    return () => this.#listeners.delete(hear)
  }

  async open(url: string, view: View): Promise<Page> {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'})
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true})
    const page = new Page(this, String(sessionId), String(targetId))
    await page.load(url, view)
    return page
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      await this.send('Browser.close').catch(() => this.#child.kill())
      await ended
    }
    rmSync(this.#profile, {recursive: true, force: true, maxRetries: 5, retryDelay: 100})
  }
}

export class Page {
  /** What the page said on its console, its errors, and refusals by its policy. */
  readonly messages: string[] = []
  /** Every address that was asked for. */
  readonly requests: string[] = []
  readonly #browser
  readonly #sessionId
  readonly #targetId

  constructor(browser: Browser, sessionId: string, targetId: string) {
    this.#browser = browser
    this.#sessionId = sessionId
    this.#targetId = targetId
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#sessionId)
  }

  async load(url: string, {width, height, scheme}: View): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      this.#browser.listen(this.#sessionId, (method, params) => {
        if (method === 'Page.loadEventFired') resolve()
        if (
          method === 'Runtime.consoleAPICalled' ||
          method === 'Runtime.exceptionThrown' ||
          method === 'Log.entryAdded'
        )
          this.messages.push(`${method} ${JSON.stringify(params)}`)
        if (method === 'Network.requestWillBeSent') this.requests.push((params['request'] as {url: string}).url)
      })
    })
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`)
    await this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: false})
    await this.send('Emulation.setEmulatedMedia', {
      features: [
        {name: 'prefers-color-scheme', value: scheme},
        {name: 'prefers-reduced-motion', value: 'reduce'},
      ],
    })
    await this.send('Page.navigate', {url})
    await loaded
  }

  /** The value of an expression, which may be a promise. */
  async evaluate(expression: string): Promise<unknown> {
    const {result, exceptionDetails} = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return (result as {value?: unknown}).value
  }

  /** Presses and releases a key, as a person would. */
  async press(key: string, text?: string): Promise<void> {
    const code = {Tab: 9, Enter: 13, Escape: 27}[key] ?? 0
    const common = {key, code: key, windowsVirtualKeyCode: code}
    await this.send('Input.dispatchKeyEvent', {type: 'keyDown', ...common, ...(text === undefined ? {} : {text})})
    await this.send('Input.dispatchKeyEvent', {type: 'keyUp', ...common})
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', {text})
  }

  /** PNG of the window, or of so much of the page from its top. */
  async screenshot(height?: number): Promise<Buffer> {
    const {cssContentSize} = await this.send('Page.getLayoutMetrics')
    const size = cssContentSize as {width: number; height: number}
    const clip = {x: 0, y: 0, width: size.width, height: Math.min(size.height, height ?? size.height), scale: 1}
    const {data} = await this.send('Page.captureScreenshot', {
      format: 'png',
      ...(height === undefined ? {} : {clip, captureBeyondViewport: true}),
    })
    return Buffer.from(String(data), 'base64')
  }

  async close(): Promise<void> {
    await this.#browser.send('Target.closeTarget', {targetId: this.#targetId})
  }
}
