/** Sockets and pipes where containerd listens when nothing else is said; Docker runs one of its own where there is none. */
export function containerdSockets(platform: NodeJS.Platform): readonly string[] {
  if (platform === 'win32') return ['//./pipe/containerd-containerd']
  return ['/run/containerd/containerd.sock', '/run/docker/containerd/containerd.sock']
}

/** The path in CONTAINERD_ADDRESS, which may be spelt as a URL. */
export function containerdPath(address: string): string {
  return address.replace(/^(?:unix|npipe):\/\//, '')
}
