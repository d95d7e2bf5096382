"""A private Asterisk: 22 with PJSIP, or 16 with chan_sip, as sites of that age have it."""
import pathlib
import re
import subprocess

from . import places, tls, trees
from .process import Child, LabError, tail, wait_until

PHONE_SECRET = "phone-secret"
EXTENSIONS = {"201": "Anna", "202": "Boris", "203": "Clara", "204": "David", "205": "Filip"}   # 204 never registers

SOUNDS = ("beep", "beeperr", "pbx-transfer", "pbx-invalid", "pbx-parkingfailed")


class Asterisk:
    """`dialplan`: "" (a few plain lines, asterisk/) or "freepbx" (what FreePBX makes of a site, freepbx/, laid over asterisk/)."""

    def __init__(self, folder: pathlib.Path, version: int = 22, name: str = "hq", provider_port: int = 0, dialplan: str = ""):
        self.name, self.version, self.folder, self.dialplan = name, version, folder, dialplan
        self.tree = f"asterisk-{version}"
        self.tech = "PJSIP" if version >= 21 else "SIP"
        self.secret = "lab \"secret\" 'and' #1"      # quotes, blanks and # are legal in a secret, so the lab has them
        self.ami, self.ami_tls, self.sip = places.free_port(), places.free_port(), places.free_port()
        self.rtp = places.free_port(80)
        self.provider_port = provider_port or places.free_port()
        self.child = None
        for part in ("etc", "var", "run", "log", "data/sounds/en/digits"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self.configure()
        self._sounds()

    def configure(self):
        root = trees.tree(self.tree)
        modules = next(m for m in (root / "usr/lib" / trees.TRIPLET / "asterisk/modules", root / "usr/lib/asterisk/modules") if m.is_dir())
        pjsip = self.tech == "PJSIP"
        words = {
            "DIR": self.folder, "TREE": root, "MODULES": modules, "AMI": self.ami, "AMI_TLS": self.ami_tls, "SIP": self.sip,
            "SECRET": self.secret, "RTP": self.rtp, "RTP_END": self.rtp + 79, "TECH": self.tech,
            "PROVIDER": f"127.0.0.2:{self.provider_port}", "PROVIDER_PORT": self.provider_port,
            "TO_TRUNK": "PJSIP/${EXTEN}@trunk" if pjsip else "SIP/trunk/${EXTEN}",
            "ALL_OF_201": "${PJSIP_DIAL_CONTACTS(201)}" if pjsip else "SIP/201",
            "TO_TRUNK_OUTNUM": "PJSIP/${OUTNUM}@trunk" if pjsip else "SIP/trunk/${OUTNUM}",
            "VOICEMAIL": "VoiceMail(${VMBOX}@default,s)" if pjsip else "Wait(2)",     # Debian 11 packs app_voicemail apart
            "OTHER_DRIVER": "chan_sip.so" if pjsip else "chan_pjsip.so",
        }
        here = pathlib.Path(__file__).parent
        templates = {file.name: file for part in ("asterisk", self.dialplan) if part for file in (here / part).glob("*.conf")}
        del templates["sip.conf" if pjsip else "pjsip.conf"]
        for template in templates.values():
            text = subroutines(template.read_text(), macros=not pjsip)
            if template.name in ("pjsip.conf", "sip.conf"):
                words["SECRET"] = PHONE_SECRET
            for word, value in words.items():
                text = text.replace(f"@{word}@", str(value))
            words["SECRET"] = self.secret
            (self.folder / "etc" / template.name).write_text(text)
        phones = ""
        for extension, who in EXTENSIONS.items():
            if pjsip:
                phones += (f"[{extension}](phone)\nauth = {extension}\naors = {extension}\ncallerid = {who} <{extension}>\n"
                           f"[{extension}](login)\nusername = {extension}\n[{extension}](place)\n\n")
            else:
                phones += f"[{extension}](phone)\ncallerid = {who} <{extension}>\n\n"
        (self.folder / "etc" / ("pjsip_phones.conf" if pjsip else "sip_phones.conf")).write_text(phones)
        certificate = tls.certificate()
        (self.folder / "etc" / "server.pem").write_text(certificate.key.read_text() + certificate.cert.read_text())

    def _sounds(self):
        """Debian's package has none, and a feature code without its announcement is given up."""
        for part in (trees.tree(self.tree) / "usr/share/asterisk").iterdir():
            if part.name != "sounds" and not (link := self.folder / "data" / part.name).is_symlink():
                link.symlink_to(part)
        for name in (*SOUNDS, *(f"digits/{digit}" for digit in range(10))):
            (self.folder / "data/sounds/en" / f"{name}.alaw").write_bytes(b"\xd5" * 400)       # 50 ms of silence

    def _command(self, *arguments):
        return [*trees.command(self.tree, "usr/sbin/asterisk"), "-C", str(self.folder / "etc/asterisk.conf"), *arguments]

    def start(self):
        self.child = Child(f"Asterisk {self.version}", self._command("-f", "-n"), self.folder / "log/out.log", cwd=self.folder)
        try:
            self.child.wait_for_port(self.ami, 60)
            wait_until(lambda: "fully booted" in self.cli("core waitfullybooted"), 60, f"{self.name} is fully booted", 0.1)
        except LabError as error:
            raise LabError(f"{error}\n{tail(self.folder / 'log/messages.log')}") from None
        return self

    def cli(self, line: str) -> str:
        done = subprocess.run(self._command("-rx", line), capture_output=True, text=True, timeout=30, errors="replace")
        return done.stdout

    def registered(self, extension: str) -> bool:
        if self.tech == "PJSIP":
            return f"{extension}/sip:" in self.cli(f"pjsip show aor {extension}")
        return "Addr->IP     : 127.0.0.1" in self.cli(f"sip show peer {extension}")

    def channels(self) -> int:
        """Channels alive now."""
        for line in self.cli("core show channels count").splitlines():
            if "active channel" in line:
                return int(line.split()[0])
        return -1

    def stop(self):
        if self.child:
            self.child.stop()

    def kill(self):
        self.child.kill()

    def restart(self):
        self.stop()
        return self.start()


def subroutines(text: str, macros: bool) -> str:
    """`Sub(name,a,b)` and `Return()` as FreePBX wrote them in its time: Macro until 16, Gosub (into contexts that kept their names) since 17."""
    if macros:
        return re.sub(r"\bSub\(", "Macro(", text).replace("Return()", "MacroExit()")
    return re.sub(r"\bSub\(([-\w]+),?([^\n]*)\)$", lambda m: f"Gosub(macro-{m[1]},s,1({m[2]}))", text, flags=re.M)
