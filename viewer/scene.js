// SPDX-License-Identifier: Apache-2.0
// scene.js - the world in 3D: geometry once, then poses. z is up, as in the record.

const { THREE, OrbitControls } = QiaoThree;
const MARKER = { cube: 1, sphere: 2, cylinder: 3, triangles: 11 };

class Scene {
  constructor(record, box) {
    this.record = record;
    this.box = box;
    this.renderer = new THREE.WebGLRenderer({
      antialias: true,
      alpha: true,
      preserveDrawingBuffer: true,
    });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio || 1, 2));
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = THREE.PCFSoftShadowMap;
    box.prepend(this.renderer.domElement);
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(40, 1, 0.02, 400);
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.enableDamping = true;
    this.controls.dampingFactor = 0.15;
    this.controls.maxDistance = 150;
    this.controls.addEventListener("change", () => (this.stale = true));
    this.options = { follow: true, force: true, path: true };
    this.bodies = record.bodies.map((b) => this.addBody(b));
    this.addLights();
    this.addGeometry();
    this.addArrows();
    this.addPath();
    this.look();
    new ResizeObserver(() => this.resize()).observe(box);
    this.resize();
  }

  addBody(b) {
    const group = new THREE.Group();
    if (b.pos) group.position.fromArray(b.pos);
    if (b.quat) group.quaternion.set(b.quat[1], b.quat[2], b.quat[3], b.quat[0]);
    this.scene.add(group);
    return group;
  }

  addLights() {
    this.sky = new THREE.HemisphereLight(0xffffff, 0x8a8f98, 1.35);
    this.sky.position.set(0, 0, 1);
    this.sun = new THREE.DirectionalLight(0xffffff, 1.75);
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(2048, 2048);
    this.sun.shadow.bias = -2e-4;
    this.sun.shadow.normalBias = 0.01;
    this.scene.add(this.sky, this.sun, this.sun.target);
  }

  addGeometry() {
    const materials = new Map(),
      shapes = {
        cube: new THREE.BoxGeometry(1, 1, 1),
        sphere: new THREE.SphereGeometry(0.5, 32, 20),
        cylinder: new THREE.CylinderGeometry(0.5, 0.5, 1, 40).rotateX(Math.PI / 2),
      };
    const material = (g) => {
      const key = g.rgba.join() + (g.face ? g.kind : "");
      if (!materials.has(key)) {
        const m = new THREE.MeshStandardMaterial({ roughness: 0.72, metalness: 0.05 });
        m.color.setRGB(g.rgba[0], g.rgba[1], g.rgba[2], THREE.SRGBColorSpace);
        m.opacity = g.rgba[3];
        m.transparent = g.rgba[3] < 1;
        if (g.kind === "terrain") m.side = THREE.DoubleSide;
        materials.set(key, m);
      }
      return materials.get(key);
    };
    for (const g of this.record.geoms) {
      let mesh;
      if (g.kind === "plane") mesh = this.makePlane(g);
      else if (g.type === MARKER.triangles) {
        if (!g.face) continue;
        mesh = new THREE.Mesh(creased(g.vert, g.face), material(g));
      } else {
        const name = Object.keys(MARKER).find((k) => MARKER[k] === g.type);
        if (!shapes[name]) continue;
        mesh = new THREE.Mesh(shapes[name], material(g));
        mesh.scale.fromArray(g.scale.map((s) => Math.max(s, 1e-6)));
      }
      mesh.position.fromArray(g.pos);
      mesh.quaternion.set(g.quat[1], g.quat[2], g.quat[3], g.quat[0]);
      if (g.kind !== "plane") mesh.castShadow = g.rgba[3] > 0.5;
      mesh.receiveShadow = true;
      this.bodies[g.body].add(mesh);
    }
    this.reach = this.robotReach();
  }

  // A floor with lines a metre apart, so that one sees how far things go.
  makePlane(g) {
    const size = 512,
      c = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const p = c.getContext("2d");
    ((p.fillStyle = "#fff"), p.fillRect(0, 0, size, size));
    ((p.fillStyle = "#f0f1f3"),
      p.fillRect(0, 0, size / 2, size / 2),
      p.fillRect(size / 2, size / 2, size / 2, size / 2));
    ((p.strokeStyle = "#c9ced5"), (p.lineWidth = 3), p.strokeRect(0, 0, size, size));
    ((p.strokeStyle = "#dfe3e8"), (p.lineWidth = 2));
    (p.strokeRect(-2, -2, size / 2 + 2, size / 2 + 2),
      p.strokeRect(size / 2, size / 2, size, size));
    const map = new THREE.CanvasTexture(c);
    map.wrapS = map.wrapT = THREE.RepeatWrapping;
    map.repeat.set(g.scale[0] / 2, g.scale[1] / 2);
    map.colorSpace = THREE.SRGBColorSpace;
    map.anisotropy = this.renderer.capabilities.getMaxAnisotropy();
    const m = new THREE.MeshStandardMaterial({ map, roughness: 0.95 });
    this.floors = [...(this.floors || []), m];
    return new THREE.Mesh(new THREE.PlaneGeometry(g.scale[0], g.scale[1]), m);
  }

  // How far the moving bodies of the first frame spread around the first one.
  robotReach() {
    this.pose(this.record.start);
    const first = this.leader(),
      box = new THREE.Box3();
    if (!first) return 1;
    this.scene.updateMatrixWorld(true);
    const at = new THREE.Vector3().setFromMatrixPosition(first.matrixWorld),
      here = new THREE.Box3();
    this.bodies.forEach((b, i) => {
      if (this.record.bodies[i].column < 0) return;
      here.setFromObject(b);
      if (!here.isEmpty() && here.distanceToPoint(at) < 1.5) box.union(here);
    });
    return box.isEmpty() ? 0.5 : Math.max(0.25, box.getSize(new THREE.Vector3()).length() / 2);
  }

  leader() {
    const i = this.record.bodies.findIndex((b) => b.column === 0);
    return i < 0 ? null : this.bodies[i];
  }

  addArrows() {
    const most = 64,
      m = new THREE.MeshBasicMaterial({ color: 0xe8590c });
    const shaft = new THREE.CylinderGeometry(0.006, 0.006, 1, 10).translate(0, 0.5, 0);
    const head = new THREE.ConeGeometry(0.016, 0.045, 14).translate(0, 0.0225, 0);
    this.shafts = new THREE.InstancedMesh(shaft, m, most);
    this.heads = new THREE.InstancedMesh(head, m, most);
    this.shafts.frustumCulled = this.heads.frustumCulled = false;
    this.scene.add(this.shafts, this.heads);
    const [frame] = this.record.contacts;
    this.contactFrom = new Map(); // frame -> first contact
    // the strongest twentieth of the forces is longer than the robot is wide
    const [, , , , fx, fy, fz] = this.record.contacts;
    const strength = Array.from(fx, (x, i) => Math.hypot(x, fy[i], fz[i])).sort((a, b) => a - b);
    const strong = strength[Math.floor(0.95 * strength.length)] || 500,
      most_n = strength.at(-1) || 500;
    this.longest = Math.min(0.8 * this.reach, 0.4);
    this.perNewton = (0.75 * this.longest) / Math.max(strong, most_n / 5);
    for (let i = frame.length - 1; i >= 0; i--) this.contactFrom.set(frame[i], i);
  }

  addPath() {
    const n = this.record.frame_t.length,
      p = this.record.poses;
    if (!n || p.length < 7) return;
    const far = [0, 1].some((k) => p[k].some((v) => Math.abs(v - p[k][0]) > 0.4));
    if (!far) return; // an arm stays where it is
    const floor = Math.min(p[2][0], this.reach) - 0.01; // about the feet
    const step = Math.ceil(n / 4000),
      points = [];
    for (let i = 0; i < n; i += step) points.push(p[0][i], p[1][i], p[2][i] - floor);
    const g = new THREE.BufferGeometry();
    g.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
    this.pathLine = new THREE.Line(
      g,
      new THREE.LineBasicMaterial({ color: 0x0f6ab4, transparent: true, opacity: 0.8 }),
    );
    this.pathLine.frustumCulled = false;
    this.scene.add(this.pathLine);
  }

  // The camera's first place: in front of and above the robot, at a distance that fits it.
  look() {
    const r = this.reach * 2.9,
      b = this.leader();
    if (b) this.controls.target.copy(b.position);
    else this.controls.target.set(0, 0, 0.3);
    this.camera.position
      .copy(this.controls.target)
      .add(new THREE.Vector3(-0.5 * r, -1.2 * r, 0.5 * r));
    this.controls.update();
    this.stale = true;
  }

  theme(dark) {
    for (const m of this.floors || []) m.color.set(dark ? 0x3c4651 : 0xdfe5ea);
    this.sky.intensity = dark ? 1.1 : 1.35;
    this.sky.groundColor.set(dark ? 0x30363d : 0x8a8f98);
    this.scene.fog = new THREE.Fog(dark ? 0x141b22 : 0xdbe4ec, 25, 90);
    this.stale = true;
  }

  resize() {
    const w = this.box.clientWidth,
      h = this.box.clientHeight;
    if (!w || !h) return;
    this.renderer.setSize(w, h, false);
    this.camera.aspect = w / h;
    this.camera.fov = w < h ? 52 : 40;
    this.camera.updateProjectionMatrix();
    this.stale = true;
  }

  // All bodies to where they were at t; between two frames in a straight line.
  pose(t) {
    const { frame_t: ft, poses: p, bodies } = this.record;
    if (!ft.length) return;
    const i = indexAt(ft, t),
      k = Math.min(i + 1, ft.length - 1);
    const s = k > i ? Math.min(Math.max((t - ft[i]) / (ft[k] - ft[i]), 0), 1) : 0;
    const mix = (c) => p[c][i] + s * (p[c][k] - p[c][i]);
    bodies.forEach((b, n) => {
      if (b.column < 0) return;
      const c = b.column * 7,
        g = this.bodies[n];
      g.position.set(mix(c), mix(c + 1), mix(c + 2));
      g.quaternion.set(mix(c + 4), mix(c + 5), mix(c + 6), mix(c + 3)).normalize();
    });
    this.frame = s < 0.5 ? i : k;
  }

  arrows() {
    const c = this.record.contacts,
      up = new THREE.Vector3(0, 1, 0),
      f = new THREE.Vector3();
    const m = new THREE.Matrix4(),
      q = new THREE.Quaternion(),
      at = new THREE.Vector3();
    const size = new THREE.Vector3(),
      w = Math.max(0.6, Math.min(this.reach, 1.5));
    let n = 0,
      i = this.options.force ? this.contactFrom.get(this.frame) : undefined;
    for (; i !== undefined && i < c[0].length && c[0][i] === this.frame && n < 64; i++) {
      f.set(c[4][i], c[5][i], c[6][i]);
      const newton = f.length();
      if (newton < 0.5) continue;
      const length = Math.min(newton * this.perNewton, this.longest);
      q.setFromUnitVectors(up, f.normalize());
      at.set(c[1][i], c[2][i], c[3][i]);
      this.shafts.setMatrixAt(n, m.compose(at, q, size.set(w, length, w)));
      at.addScaledVector(f, length);
      this.heads.setMatrixAt(n++, m.compose(at, q, size.set(w, w, w)));
    }
    for (const a of [this.shafts, this.heads])
      ((a.count = n), (a.instanceMatrix.needsUpdate = true));
  }

  // One picture of time t. Draws only if something changed.
  draw(t) {
    const moved = t !== this.t;
    if (moved) {
      this.t = t;
      const b = this.leader(),
        before = b && b.position.clone();
      this.pose(t);
      if (b && this.options.follow) {
        const by = b.position.clone().sub(before);
        // steps do not shake the camera: up and down it goes slowly, but not after a jump in time
        const near = Math.abs(t - this.seen) < 0.3;
        by.z = (b.position.z - this.controls.target.z) * (near ? 0.05 : 1);
        (this.controls.target.add(by), this.camera.position.add(by));
      }
      this.seen = t;
    }
    this.controls.update();
    if (!moved && !this.stale) return;
    this.stale = false;
    this.arrows();
    if (this.pathLine) this.pathLine.visible = this.options.path;
    const r = Math.max(2.5, this.reach * 4),
      cam = this.sun.shadow.camera;
    this.sun.target.position.copy(this.controls.target);
    this.sun.position
      .copy(this.controls.target)
      .add(new THREE.Vector3(-3, -4, 8).multiplyScalar(r / 4));
    if (cam.right !== r) {
      Object.assign(cam, { left: -r, right: r, top: r, bottom: -r, near: 0.1, far: 6 * r });
      cam.updateProjectionMatrix();
    }
    this.renderer.render(this.scene, this.camera);
  }

  set(option, on) {
    this.options[option] = on;
    const b = this.leader();
    if (option === "follow" && on && b) {
      const by = b.position.clone().sub(this.controls.target);
      (this.controls.target.add(by), this.camera.position.add(by));
    }
    this.stale = true;
  }
}

// Triangles with normals that are smooth over edges flatter than 35 degrees and sharp elsewhere.
function creased([x, y, z], face) {
  const n = face.length / 3,
    nv = x.length,
    limit = Math.cos((35 * Math.PI) / 180);
  const normal = new Float32Array(3 * n),
    count = new Uint32Array(nv + 1);
  const a = new THREE.Vector3(),
    b = new THREE.Vector3(),
    c = new THREE.Vector3();
  for (let i = 0; i < n; i++) {
    const [p, q, r] = [face[3 * i], face[3 * i + 1], face[3 * i + 2]];
    (a.set(x[p], y[p], z[p]), b.set(x[q], y[q], z[q]).sub(a), c.set(x[r], y[r], z[r]).sub(a));
    b.cross(c)
      .normalize()
      .toArray(normal, 3 * i);
    (count[p]++, count[q]++, count[r]++);
  }
  const from = new Uint32Array(nv + 1); // faces around each vertex
  for (let v = 0; v < nv; v++) from[v + 1] = from[v] + count[v];
  const around = new Uint32Array(from[nv]),
    fill = from.slice();
  for (let i = 0; i < 3 * n; i++) around[fill[face[i]]++] = (i / 3) | 0;
  const pos = new Float32Array(9 * n),
    nor = new Float32Array(9 * n);
  for (let i = 0; i < 3 * n; i++) {
    const v = face[i],
      f = 3 * ((i / 3) | 0);
    let sx = 0,
      sy = 0,
      sz = 0;
    for (let k = from[v]; k < from[v + 1]; k++) {
      const g = 3 * around[k];
      const dot =
        normal[f] * normal[g] + normal[f + 1] * normal[g + 1] + normal[f + 2] * normal[g + 2];
      if (dot >= limit) ((sx += normal[g]), (sy += normal[g + 1]), (sz += normal[g + 2]));
    }
    const len = Math.hypot(sx, sy, sz) || 1;
    (pos.set([x[v], y[v], z[v]], 3 * i), nor.set([sx / len, sy / len, sz / len], 3 * i));
  }
  const g = new THREE.BufferGeometry();
  g.setAttribute("position", new THREE.BufferAttribute(pos, 3));
  g.setAttribute("normal", new THREE.BufferAttribute(nor, 3));
  return g;
}
