/** How long requests that are being answered may take when the service is told to stop, in milliseconds. */
const GRACE_MS = 2000

/** On SIGTERM or SIGINT: takes nothing new, finishes what is being answered, and waits for no other connection. */
export function stopOnSignal(server, release) {
  let answering = 0
  let isStopping = false
  const closeIfIdle = () => {
    if (isStopping && answering === 0) server.closeAllConnections()
  }
  server.on('request', (req, res) => {
    answering += 1
    res.once('close', () => {
      answering -= 1
      closeIfIdle()
    })
  })
  const stop = () => {
    isStopping = true
    release()
    server.close()
    closeIfIdle()
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)
}
