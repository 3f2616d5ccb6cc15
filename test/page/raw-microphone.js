/**
 * Runs before the page's own code: the microphone is taken as it is. The browser's noise suppression, made for voices in rooms,
 * takes the hiss of an s or an f out of a recording that has been through a telephone already.
 */
(() => {
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = ({ audio, ...others }) =>
    open({ ...others, audio: { ...audio, noiseSuppression: false, autoGainControl: false, echoCancellation: false } });
})();
