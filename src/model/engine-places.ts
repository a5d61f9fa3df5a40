/** Where to look for an engine. What is given first in this list counts; else where engines listen by default. */
export interface EnginePlaces {
  /** `unix:///PATH`, `npipe:////./pipe/NAME` or `tcp://HOST[:PORT]`, as DOCKER_HOST has it. */
  readonly host?: string
  /** Folder of ca.pem, cert.pem and key.pem: `host` is then spoken to by TLS. */
  readonly certificates?: string
  /** Name of a Docker context; `default` = none, in place of the current one. */
  readonly context?: string
  /** XDG_RUNTIME_DIR, where rootless engines listen. */
  readonly runtimeFolder?: string
}
