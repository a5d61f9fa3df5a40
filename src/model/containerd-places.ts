/** Where containerd is, and which of its namespaces counts when a reference names none. */
export interface ContainerdPlaces {
  /** Path of its socket or named pipe, also as a URL: CONTAINERD_ADDRESS. By default where it listens. */
  readonly address?: string
  /** CONTAINERD_NAMESPACE; `default` by default. */
  readonly namespace?: string
}
