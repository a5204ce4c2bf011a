# Not tried: written without a Homebrew at hand. From a checkout: brew install --HEAD ./packaging/dictaphone.rb
class Dictaphone < Formula
  desc "Voice recorder for the terminal that never loses a recording"
  license "MIT"
  head File.expand_path("..", __dir__), using: :git

  depends_on "rust" => :build
  on_linux do
    depends_on "pkg-config" => :build
    depends_on "alsa-lib"
  end

  def install
    system "cargo", "install", *std_cargo_args
    (man1/"dictaphone.1").write Utils.safe_popen_read(bin/"dictaphone", "man")
    generate_completions_from_executable(bin/"dictaphone", "completions")
  end

  test do
    system bin/"dictaphone", "record", "-i", "tone", "--fast", "-d", "1s", "tone.wav"
    assert_predicate testpath/"tone.wav", :exist?
  end
end
