// A camera that takes four photos a second while a button is held, and hands them to an upload
// button. The preview is a mirror, the photos are not.
const EVERY_MS = 250
const WIDTH = 320
const part = (selector) => element.querySelector(selector)
const video = part("video")
const words = part("[role=status]")
let timer = null
let photos = []

const show = (isOn) => {
  video.hidden = !isOn
  part("[data-start]").hidden = isOn
  part("[data-record]").hidden = !isOn
  part("[data-end]").hidden = !isOn
}

const start = async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: {width: WIDTH}})
    await video.play()
    words.textContent = ""
    show(true)
  } catch {
    words.textContent = "The browser gives no camera to this page. Allow it, or drop photos."
  }
}

const end = () => {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop()
  video.srcObject = null
  show(false)
}

const shoot = () => {
  const canvas = document.createElement("canvas")
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext("2d").drawImage(video, 0, 0)
  const name = `film-${Date.now()}-${photos.length}.jpg`
  const encoded = new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92))
  photos.push(encoded.then((blob) => new File([blob], name, {type: "image/jpeg"})))
  words.textContent = `${photos.length} photos`
}

const record = (event) => {
  if (timer || (event.type === "keydown" && event.key !== " ")) return
  event.preventDefault()
  photos = []
  shoot()
  timer = setInterval(shoot, EVERY_MS)
}

const send = async () => {
  if (!timer) return
  clearInterval(timer)
  timer = null
  giveFiles("#film-photos", await Promise.all(photos))
  words.textContent = `${photos.length} photos went to the card below.`
}

part("[data-start]").addEventListener("click", start)
part("[data-end]").addEventListener("click", end)
for (const kind of ["pointerdown", "keydown"]) part("[data-record]").addEventListener(kind, record)
for (const kind of ["pointerup", "pointercancel", "keyup", "blur"]) addEventListener(kind, send)
