/** Runs before the page's own code: what the page plays leaks into what its microphone hears, 80 ms later and 20 dB quieter. */
(() => {
  const room = new AudioContext();
  const microphone = new MediaStreamAudioDestinationNode(room, { channelCount: 1 });
  const air = new DelayNode(room, { delayTime: 0.08 });
  air.connect(new GainNode(room, { gain: 0.1 })).connect(microphone);

  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (destination, ...rest) {
    if (destination instanceof AudioDestinationNode) {
      const speaker = new MediaStreamAudioDestinationNode(this.context, { channelCount: 1 });
      connect.call(this, speaker);
      connect.call(new MediaStreamAudioSourceNode(room, { mediaStream: speaker.stream }), air);
    }
    return connect.call(this, destination, ...rest);
  };

  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    await room.resume();
    const stream = await open(constraints);
    connect.call(new MediaStreamAudioSourceNode(room, { mediaStream: stream }), microphone);
    return microphone.stream;
  };
})();
